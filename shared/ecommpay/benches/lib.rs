//! Contains the signed callback of the benchmarks, and a function that verifies a callback as the callback route does.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ecommpay::json::{Limits, parse};
use ecommpay::signature::{self, canonical, of_message};
use ecommpay::{Keyring, ProjectKey};
use mimalloc::MiMalloc;

/// The allocator that the functions use.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The secret of the key that signs the callback.
pub const SECRET: &str = "bench-secret-key";

/// Returns a callback of the test data with 15 additional fields of a provider. All official SDKs sort the names of
/// these fields in the same order.
pub fn body(key: &ProjectKey) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../tests/data/callbacks/sale_success_account.json");
    let text = std::fs::read_to_string(file).unwrap();
    let extra: Vec<String> = ('a'..='o')
        .map(|letter| format!(r#""provider_field_{letter}":"value {letter} of fifteen""#))
        .collect();
    let extra = format!(r#"{{"provider_extra_fields":{{{}}},"#, extra.join(","));
    let text = text.replacen('{', &extra, 1);

    let message = parse(text.as_bytes(), Limits::CALLBACK).unwrap();
    let old = of_message(&message).unwrap().to_base64();
    let new = key.sign(&canonical(&message)).to_base64();
    // The platform's JSON escapes a slash as `\/`.
    let text = text.replace(&old.replace('/', "\\/"), &new);
    text.replace(&old, &new).into_bytes()
}

/// Parses a body and verifies its signature, as the callback route does.
pub fn verify(ring: &Keyring, body: &[u8]) -> bool {
    let Ok(message) = parse(body, Limits::CALLBACK) else {
        return false;
    };
    let Some(signature) = of_message(&message) else {
        return false;
    };
    signature::verify(&message, &signature, ring).is_some()
}
