//! Any bytes as a body whose signature is checked: no panic, and no stranger's key verifies.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run verify` (in `shared/ecommpay`)
#![no_main]

use std::sync::LazyLock;

use ecommpay::json::{Limits, parse};
use ecommpay::signature::{canonical, of_message};
use ecommpay::{KeySlot, Keyring, ProjectKey, Signature};
use libfuzzer_sys::fuzz_target;

/// The key of the callbacks in `tests/data`, so that the seeds verify.
static RING: LazyLock<Keyring> = LazyLock::new(|| {
    let index = include_bytes!("../../../../tests/data/callbacks/index.json");
    let index: serde_json::Value = serde_json::from_slice(index).unwrap();
    Keyring::new(
        ProjectKey::new(index["key"].as_str().unwrap()).unwrap(),
        None,
    )
});

static STRANGER: LazyLock<ProjectKey> = LazyLock::new(|| ProjectKey::new("stranger").unwrap());

fuzz_target!(|body: &[u8]| {
    let Ok(message) = parse(body, Limits::CALLBACK) else {
        return;
    };
    let string = canonical(&message);
    let ours = RING.current().sign(&string);
    assert_eq!(RING.verify(&string, &ours), Some(KeySlot::Current));
    assert_eq!(Signature::from_base64(&ours.to_base64()), Some(ours));
    if let Some(carried) = of_message(&message) {
        let verified = RING.verify(&string, &carried) == Some(KeySlot::Current);
        assert_eq!(verified, carried == ours);
        assert!(!STRANGER.verifies(&string, &carried));
    }
});
