//! What it costs to verify a callback of about 1.5 KB, beside the bare HMAC over the same string.
//!
//! `cargo bench --manifest-path shared/ecommpay/benches/Cargo.toml`
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput};
use ecommpay::json::{Limits, parse};
use ecommpay::signature::{self, canonical, of_message};
use ecommpay::{Keyring, ProjectKey};

const SECRET: &str = "bench-secret-key";

/// A callback of the corpus, with as many fields of a provider as a talkative one sends.
fn body(key: &ProjectKey) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../tests/data/callbacks/sale_success_account.json");
    let text = std::fs::read_to_string(file).unwrap();
    let extra: Vec<String> = (1..=15)
        .map(|number| format!(r#""provider_field_{number}":"value {number} of 15""#))
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
fn verify(ring: &Keyring, body: &[u8]) -> bool {
    let Ok(message) = parse(body, Limits::CALLBACK) else {
        return false;
    };
    let Some(signature) = of_message(&message) else {
        return false;
    };
    signature::verify(&message, &signature, ring).is_some()
}

fn main() {
    let key = ProjectKey::new(SECRET).unwrap();
    let body = body(&key);
    let message = parse(&body, Limits::CALLBACK).unwrap();
    let string = canonical(&message);
    let signature = of_message(&message).unwrap();
    let ring = Keyring::new(key.clone(), None);
    assert!(verify(&ring, &body));
    println!(
        "body {} bytes, canonical string {} bytes",
        body.len(),
        string.len()
    );

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("callback");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("verify", |bench| {
        bench.iter(|| verify(&ring, black_box(&body)));
    });
    group.bench_function("hmac alone", |bench| {
        bench.iter(|| key.verifies(black_box(&string), &signature));
    });
    group.bench_function("parse alone", |bench| {
        bench.iter(|| parse(black_box(&body), Limits::CALLBACK).is_ok());
    });
    group.bench_function("canonical alone", |bench| {
        bench.iter(|| canonical(black_box(&message)));
    });
    group.finish();
    criterion.final_summary();
}
