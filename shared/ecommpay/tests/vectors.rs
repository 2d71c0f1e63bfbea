//! Tests the vectors that were made with the official SDKs: signatures and Payment Page links.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

mod corpus;

use corpus::json;
use ecommpay::json::{Limits, parse};
use ecommpay::payment_page::link;
use ecommpay::signature::{
    canonical, canonical_as_php, canonical_to_sign, may_be_reframed, verify,
};
use ecommpay::{KeySlot, Keyring, ProjectKey, Signature};
use serde_json::Value;

#[test]
fn every_vector_has_the_canonical_string_and_the_signature_of_the_sdks() {
    let vectors = json("vectors/signature.json");
    let mut checked = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let raw = vector["raw"].as_str().unwrap();
        let message = parse(raw.as_bytes(), Limits::CALLBACK).expect(name);
        // `undefined` means that the SDKs disagree and the platform documents no rule. We never sign such a message,
        // but we accept a signature over the numbers as PHP prints them.
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
fn every_payment_page_link_has_the_query_of_the_sdks() {
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
