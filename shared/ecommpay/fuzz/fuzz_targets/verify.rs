//! Verifies the signatures of random bytes as a body. Checks that:
//!
//! - nothing panics;
//! - a signature verifies if it covers the numbers as they are written, or the numbers as PHP prints them;
//! - the signature in the body verifies only if it covers one of these two strings;
//! - no signature verifies with another key.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run verify` (in `shared/ecommpay`)
#![no_main]

use std::sync::LazyLock;

use ecommpay::json::{Limits, Value, parse};
use ecommpay::signature::{
    canonical, canonical_as_php, canonical_to_sign, may_be_reframed, of_message, verify,
};
use ecommpay::{KeySlot, Keyring, ProjectKey, Signature};
use libfuzzer_sys::fuzz_target;

/// A keyring whose two slots hold different keys. The previous key is the key of the callbacks in `tests/data`.
static RING: LazyLock<Keyring> = LazyLock::new(|| {
    let index = include_bytes!("../../../../tests/data/callbacks/index.json");
    let index: serde_json::Value = serde_json::from_slice(index).unwrap();
    let key = ProjectKey::new(index["key"].as_str().unwrap()).unwrap();
    Keyring::new(ProjectKey::new("current").unwrap(), Some(key.clone()))
});

static OTHER: LazyLock<Keyring> =
    LazyLock::new(|| Keyring::new(ProjectKey::new("other").unwrap(), None));

fuzz_target!(|body: &[u8]| {
    let Ok(message) = parse(body, Limits::CALLBACK) else {
        return;
    };
    let as_written = RING.current().sign(&canonical(&message));
    let as_php = canonical_as_php(&message).map(|string| RING.current().sign(&string));
    for signature in [Some(as_written), as_php].into_iter().flatten() {
        let slot = verify(&message, &signature, &RING);
        assert_eq!(slot, Some(KeySlot::Current));
        assert_eq!(verify(&message, &signature, &OTHER), None);
    }
    let text = as_written.to_base64();
    assert_eq!(Signature::from_base64(&text), Some(as_written));
    // A number that PHP prints differently changes the canonical string. An exception is a number under `signature` or
    // `frame_mode`, because such a number has no line.
    if as_php.is_some_and(|as_php| as_php != as_written) {
        assert!(may_be_reframed(&message));
        assert!(canonical_to_sign(&message).is_err());
    }
    if let Some(carried) = of_message(&message) {
        let slot = verify(&message, &carried, &RING);
        assert_eq!(
            slot == Some(KeySlot::Current),
            carried == as_written || Some(carried) == as_php
        );
        assert_eq!(verify(&message, &carried, &OTHER), None);
    }
    if let Value::Number(token) = message {
        assert_same_value(token, &message);
    }
});

/// Checks that PHP's spelling of a number has the same value, up to the rounding to 14 digits.
fn assert_same_value(token: &str, message: &Value<'_>) {
    let Some(line) = canonical_as_php(message) else {
        return;
    };
    let spelled = String::from_utf8(line[1..].to_vec()).unwrap();
    let number = |text: &str| text.parse::<f64>().unwrap();
    let (written, printed) = (number(token), number(&spelled));
    let distance = (written - printed).abs();
    assert!(
        written == printed || distance <= written.abs() * 1e-13,
        "{token} {spelled}"
    );
}
