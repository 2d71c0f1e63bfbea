//! The signature vectors made with the official SDKs, and the callbacks of the corpus.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

mod corpus;

use corpus::{data, json};
use ecommpay::json::{JsonError, Limits, parse};
use ecommpay::payment_page::link;
use ecommpay::report::{RedirectMethod, Report, has_sound_shape};
use ecommpay::signature::{
    canonical, canonical_as_php, canonical_to_sign, may_be_reframed, of_message, verify,
};
use ecommpay::{KeySlot, Keyring, ProjectKey, Signature};
use serde_json::Value;

#[test]
fn every_vector_gives_the_string_and_the_signature_of_the_sdks() {
    let vectors = json("vectors/signature.json");
    let mut checked = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let raw = vector["raw"].as_str().unwrap();
        let message = parse(raw.as_bytes(), Limits::CALLBACK).expect(name);
        // Where the SDKs disagree and documentation is silent, PHP's spelling verifies too; such data
        // is never signed.
        let undefined = vector["platform"] == "undefined";
        assert_eq!(canonical_to_sign(&message).is_err(), undefined, "{name}");
        let string = if undefined {
            canonical_as_php(&message).expect(name)
        } else {
            canonical(&message)
        };
        assert_eq!(
            String::from_utf8_lossy(&string),
            vector["string_to_sign"].as_str().unwrap(),
            "{name}"
        );
        let key = ProjectKey::new(vector["secret"].as_str().unwrap()).unwrap();
        let signature = vector["signature"].as_str().unwrap();
        assert_eq!(key.sign(&string).to_base64(), signature, "{name}");

        let as_written = key.sign(&canonical(&message));
        let signature = Signature::from_base64(signature).unwrap();
        let keyring = Keyring::new(key, None);
        for spelling in [signature, as_written] {
            let slot = verify(&message, &spelling, &keyring);
            assert_eq!(slot, Some(KeySlot::Current), "{name}");
        }
        assert!(may_be_reframed(&message) || !undefined, "{name}");
        checked += 1;
    }
    assert_eq!(checked, 75);
}

#[test]
fn every_callback_of_the_corpus_is_read_as_its_index_says() {
    let index = json("callbacks/index.json");
    let key = ProjectKey::new(index["key"].as_str().unwrap()).unwrap();
    let keyring = Keyring::new(key, None);
    let mut checked = 0;
    for expected in index["callbacks"].as_array().unwrap() {
        let file = expected["file"].as_str().unwrap();
        let body = std::fs::read(data("callbacks").join(file)).unwrap();
        let message = parse(&body, Limits::CALLBACK);
        let verified = message.as_ref().is_ok_and(|message| {
            of_message(message)
                .is_some_and(|signature| verify(message, &signature, &keyring).is_some())
        });
        assert_eq!(verified, expected["valid"].as_bool().unwrap(), "{file}");
        checked += 1;
        if !verified {
            continue;
        }

        let message = message.unwrap();
        assert!(has_sound_shape(&message), "{file}");
        let report = Report::read(&message);
        let operation = report.operations.first();
        let read = |field: &str| match field {
            "payment_id" => report.payment_id.clone(),
            "payment_status" => report.payment_status.clone(),
            "operation_id" => operation.and_then(|o| o.id.clone()),
            "operation_type" => operation.map(|o| o.kind.clone()),
            "operation_status" => operation.map(|o| o.status.clone()),
            _ => operation.and_then(|o| o.code.clone()),
        };
        for field in [
            "payment_id",
            "payment_status",
            "operation_id",
            "operation_type",
            "operation_status",
            "code",
        ] {
            let expected = match &expected[field] {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            };
            // The index reads `operation` only; the legacy format has its operation in a list.
            if expected.is_some() || file != "legacy_format.json" {
                assert_eq!(read(field), expected, "{file} {field}");
            }
        }
        if let Some(redirect) = expected
            .get("redirect")
            .filter(|redirect| !redirect.is_null())
        {
            let read = report.redirect.as_ref().expect(file);
            assert_eq!(read.url, redirect["url"].as_str().unwrap(), "{file}");
            assert_eq!(
                read.method == RedirectMethod::Post,
                redirect["method"] == "POST",
                "{file}"
            );
        }
        let amount = operation.and_then(|operation| operation.refunded_amount());
        assert_eq!(amount, expected["refunded_amount"].as_u64(), "{file}");
        assert_eq!(
            report.is_final(),
            expected["final_for_payment"].as_bool(),
            "{file}"
        );
    }
    assert_eq!(checked, 81);
}

#[test]
fn bodies_that_are_not_sound_json_are_told_from_bad_signatures() {
    let read = |file: &str| {
        let body = std::fs::read(data("callbacks").join(file)).unwrap();
        parse(&body, Limits::CALLBACK).map(|_| ())
    };
    assert_eq!(
        read("invalid_duplicate_key.json"),
        Err(JsonError::DuplicateKey)
    );
    assert_eq!(read("invalid_bad_utf8.json"), Err(JsonError::NotUtf8));
    assert!(matches!(
        read("invalid_trailing_comma.json"),
        Err(JsonError::NotJson(_))
    ));
    assert_eq!(read("invalid_empty_body.json"), Err(JsonError::NotJson(0)));
    assert_eq!(read("invalid_empty_object.json"), Ok(()));
}

#[test]
fn payment_page_links_decode_to_what_the_sdks_make() {
    let vectors = json("vectors/payment_page_url.json");
    let mut checked = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let pairs: Vec<String> = vector["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| format!("{}:{}", pair[0], pair[1]))
            .collect();
        let parameters = format!("{{{}}}", pairs.join(","));
        let parameters = parse(parameters.as_bytes(), Limits::CALLBACK).unwrap();
        let key = ProjectKey::new(vector["secret"].as_str().unwrap()).unwrap();
        let link = link(vector["base"].as_str().unwrap(), &parameters, &key).unwrap();
        let query = link.split_once('?').unwrap().1;
        let decoded: serde_json::Map<String, Value> = query
            .split('&')
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                let decode = |text| {
                    percent_encoding::percent_decode_str(text)
                        .decode_utf8()
                        .unwrap()
                };
                (
                    decode(name).into_owned(),
                    Value::from(decode(value).into_owned()),
                )
            })
            .collect();
        assert_eq!(Value::Object(decoded), vector["decoded_query"], "{name}");
        checked += 1;
    }
    assert_eq!(checked, 6);
}
