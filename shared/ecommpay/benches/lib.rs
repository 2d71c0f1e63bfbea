//! What the benchmarks measure: the signed callback, and how the callback route checks it.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ecommpay::json::{Limits, parse};
use ecommpay::signature::{self, canonical, of_message};
use ecommpay::{Keyring, ProjectKey};
use mimalloc::MiMalloc;

/// As in the functions.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The secret of the key that signs.
pub const SECRET: &str = "bench-secret-key";

/// A callback of the corpus, with as many fields of a provider as a talkative one sends. Their names
/// are such that all official SDKs put them into the same order.
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
    // The platform's JSON writes a slash as `\/`.
    let text = text.replace(&old.replace('/', "\\/"), &new);
    text.replace(&old, &new).into_bytes()
}

/// What the callback route does before it believes a body.
pub fn verify(ring: &Keyring, body: &[u8]) -> bool {
    let Ok(message) = parse(body, Limits::CALLBACK) else {
        return false;
    };
    let Some(signature) = of_message(&message) else {
        return false;
    };
    signature::verify(&message, &signature, ring).is_some()
}
