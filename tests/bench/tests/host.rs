//! The host, with small functions in Python.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bench::host::{Program, Sandbox};
use bench::isolated;
use serde_json::{Value, json};

/// Answers with its event and its environment; `fail` is reported as an error, `exit` ends the process.
const ECHO: &str = r#"
import json, os, sys, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
def post(path, value):
    data = json.dumps(value).encode()
    urllib.request.urlopen(urllib.request.Request(api + path, data, {"content-type": "application/json"})).read()
while True:
    with urllib.request.urlopen(api + "invocation/next") as next:
        id, event = next.headers["Lambda-Runtime-Aws-Request-Id"], json.load(next)
    if event == "exit":
        print("no more of this", flush=True)
        sys.exit(3)
    if event == "fail":
        post(f"invocation/{id}/error", {"errorMessage": "no such luck"})
    else:
        post(f"invocation/{id}/response", {"event": event, "environment": dict(os.environ)})
"#;

fn echo() -> Program {
    let mut program = Program::new("echo", "/usr/bin/env").with("COLOUR", "blue");
    program.arguments = ["python3", "-I", "-c", ECHO].map(Into::into).into();
    // Wherever Python is.
    program
        .variables
        .insert("PATH".into(), std::env::var("PATH").unwrap());
    program
}

#[tokio::test]
async fn each_sandbox_answers_its_own_events_one_after_the_other() {
    let program = echo();
    let (one, other) = tokio::join!(Sandbox::start(&program), Sandbox::start(&program));
    let (mut one, mut other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.pid(), other.pid());
    for number in 0..3 {
        let (here, there) = tokio::join!(
            one.invoke(json!({ "here": number }).to_string()),
            other.invoke(json!({ "there": number }).to_string()),
        );
        let (here, there) = (here.unwrap(), there.unwrap());
        let reply = |reply: &[u8]| serde_json::from_slice::<Value>(reply).unwrap();
        assert_eq!(reply(&here.reply)["event"], json!({ "here": number }));
        assert_eq!(reply(&there.reply)["event"], json!({ "there": number }));
        assert!(here.took <= here.until_ready);
        let environment = reply(&here.reply)["environment"].clone();
        assert_eq!(environment["COLOUR"], "blue");
        assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "echo");
        assert_eq!(environment.get("CARGO_MANIFEST_DIR"), None);
    }
    assert!(one.usage().unwrap().memory > 1 << 20);
    assert!(!one.usage().unwrap().cpu.is_zero());
    one.stop().await.unwrap();
}

#[tokio::test]
async fn a_function_that_fails_or_ends_is_told_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = echo();
    program.log = Some(folder.path().join("log"));
    for (event, words) in [("fail", "no such luck"), ("exit", "no more of this")] {
        let mut sandbox = Sandbox::start(&program).await.unwrap();
        let failed = sandbox.invoke(json!(event).to_string()).await.unwrap_err();
        assert!(failed.to_string().contains(words), "{failed}");
        let again = sandbox.invoke("{}").await.unwrap_err();
        assert!(again.to_string().contains("not ready"), "{again}");
    }
}

#[tokio::test]
async fn a_dropped_sandbox_takes_its_process_along() {
    let sandbox = Sandbox::start(&echo()).await.unwrap();
    let process = format!("/proc/{}/stat", sandbox.pid());
    assert!(std::fs::exists(&process).unwrap());
    drop(sandbox);
    // Gone, or dead and not yet collected.
    let is_gone = || std::fs::read_to_string(&process).map_or(true, |stat| stat.contains(") Z "));
    let gone = async {
        while !is_gone() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), gone).await;
    assert!(waited.is_ok(), "it runs on");
}

#[tokio::test]
async fn names_lead_to_this_machine_in_a_network_of_its_own() {
    let run = |command: Vec<std::ffi::OsString>| {
        let (program, arguments) = command.split_first().unwrap();
        std::process::Command::new(program)
            .args(arguments)
            .output()
            .unwrap()
    };
    let probe = run(["unshare", "--mount", "--net", "--map-root-user", "true"]
        .map(Into::into)
        .into());
    if !probe.status.success() {
        // Where nobody may have one, nothing is run in the network that all share.
        let refused = run(isolated::command("/usr/bin/env".into(), &["true".into()]));
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && why.contains("unshare"),
            "{why}"
        );
        return;
    }
    let ask = "import socket; print(*{a[4][0] for a in socket.getaddrinfo('sqs.eu-west-1.amazonaws.com', 443)})";
    let python = run(["sh", "-c", "command -v python3"].map(Into::into).into()).stdout;
    let python = String::from_utf8(python).unwrap().trim().to_owned();
    let asked = run(isolated::command(python.into(), &["-c".into(), ask.into()]));
    assert_eq!(String::from_utf8_lossy(&asked.stdout).trim(), "127.0.0.1");
    let reach = "import socket; socket.create_connection(('192.0.2.1', 443), 5)";
    let reached = run(isolated::command(
        "/usr/bin/env".into(),
        &["python3".into(), "-c".into(), reach.into()],
    ));
    let why = String::from_utf8_lossy(&reached.stderr);
    assert!(why.contains("unreachable"), "{why}");
}
