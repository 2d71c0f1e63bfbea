//! Tests the example programs. The tests run them on both corpora of callbacks and on the signature vectors.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod corpus;

use std::io::Write;
use std::process::{Command, Stdio};

use corpus::{data, json};
use ecommpay::ProjectKey;
use ecommpay::json::{Limits, parse};
use ecommpay::signature::canonical;
use serde_json::Value;

/// Runs an example program, which cargo has built next to this test. Returns whether the program succeeded, and its
/// output.
fn run(example: &str, arguments: &[&str], input: &str) -> (bool, String) {
    let tests = std::env::current_exe().unwrap();
    let examples = tests.parent().unwrap().parent().unwrap().join("examples");
    let mut child = Command::new(examples.join(example))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn the_signature_tool_prints_the_strings_and_signatures_of_the_vectors() {
    for vector in json("vectors/signature.json")["vectors"]
        .as_array()
        .unwrap()
    {
        let (name, raw) = (
            vector["name"].as_str().unwrap(),
            vector["raw"].as_str().unwrap(),
        );
        let mut arguments = vec!["string", "--key", vector["secret"].as_str().unwrap()];
        let lists = [&vector["ignore"], &vector["remove"]];
        for ignored in lists.iter().filter_map(|list| list.as_array()).flatten() {
            arguments.extend(["--ignore", ignored.as_str().unwrap()]);
        }
        arguments.push("-");
        let string = run("signature", &arguments, raw);
        arguments[0] = "sign";
        let signature = run("signature", &arguments, raw);
        if vector["platform"] == "undefined" {
            assert!(
                !signature.0 && signature.1.starts_with("refused: "),
                "{name}: {}",
                signature.1
            );
            continue;
        }
        assert_eq!(
            string,
            (
                true,
                format!("{}\n", vector["string_to_sign"].as_str().unwrap())
            ),
            "{name}"
        );
        assert_eq!(
            signature,
            (true, format!("{}\n", vector["signature"].as_str().unwrap())),
            "{name}"
        );
    }
}

#[test]
fn the_signature_tool_verifies_a_fraction_as_written_and_as_php_prints_it() {
    let vectors = json("vectors/signature.json");
    let vectors = vectors["vectors"].as_array().unwrap().iter();
    let undefined = vectors.filter(|vector| vector["platform"] == "undefined");
    let mut checked = 0;
    for vector in undefined {
        let raw = vector["raw"].as_str().unwrap();
        let secret = vector["secret"].as_str().unwrap();
        let message = parse(raw.as_bytes(), Limits::CALLBACK).unwrap();
        let as_written = ProjectKey::new(secret).unwrap().sign(&canonical(&message));
        let as_php = vector["signature"].as_str().unwrap();
        for (signature, expected) in [
            (as_written.to_base64().as_str(), (true, "ok\n")),
            (as_php, (true, "ok\n")),
            (&as_php.replacen(&as_php[..1], "/", 1), (false, "refused: ")),
        ] {
            let open = raw.strip_suffix('}').unwrap();
            let signed = format!("{open},\"signature\":\"{signature}\"}}");
            let (success, output) = run("signature", &["verify", "--key", secret, "-"], &signed);
            assert!(
                success == expected.0 && output.starts_with(expected.1),
                "{signed} {output}"
            );
        }
        checked += 1;
    }
    assert_eq!(checked, 2);
}

#[test]
fn the_callback_tool_prints_the_content_of_the_index() {
    for folder in ["callbacks", "callbacks-2"] {
        assert_corpus(folder);
    }
}

fn assert_corpus(folder: &str) {
    let index = json(&format!("{folder}/index.json"));
    let key = index["key"].as_str().unwrap();
    for expected in index["callbacks"].as_array().unwrap() {
        let file = expected["file"].as_str().unwrap();
        let path = data(folder).join(file);
        let path = path.to_str().unwrap();
        let (success, output) = run("callback", &["--key", key, path], "");
        let read: Value = serde_json::from_str(&output).unwrap();
        assert_eq!(Value::from(success), expected["valid"], "{file}");
        assert_eq!(read["valid"], expected["valid"], "{file}");
        let (verified, verdict) = run("signature", &["verify", "--key", key, path], "");
        assert_eq!(verified, success, "{file}: {verdict}");
        if !success {
            assert!(
                read["reason"].is_string() && verdict.starts_with("refused: "),
                "{file}"
            );
            continue;
        }
        assert_eq!(verdict, "ok\n", "{file}");
        for field in [
            "payment_id",
            "payment_status",
            "operation_id",
            "operation_type",
            "operation_status",
            "code",
            "final_for_payment",
            "redirect",
            "clarification_fields",
            "refunded_amount",
        ] {
            assert_eq!(read[field], expected[field], "{file} {field}");
        }
    }
}

#[test]
fn the_payment_page_tool_prints_a_link_or_the_reason_of_the_refusal() {
    let parameters = r#"{"project_id":211,"payment_id":"X03936","payment_amount":1000}"#;
    let (success, link) = run(
        "payment_page",
        &["--key", "k", "--base", "https://page.example/p", "-"],
        parameters,
    );
    assert!(
        success && link.starts_with("https://page.example/p?project_id=211&"),
        "{link}"
    );
    let hidden = r#"{"customer_last_name":"X;payment_amount:1"}"#;
    let (success, output) = run("payment_page", &["--key", "k", "-"], hidden);
    assert!(!success && output.starts_with("refused: "), "{output}");
}
