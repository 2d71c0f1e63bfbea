//! Measures the time to verify a callback of about 1.5 KB, and the time of its HMAC alone.
//!
//! `cargo bench --manifest-path shared/ecommpay/benches/Cargo.toml`
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use ecommpay::json::{Limits, parse};
use ecommpay::signature::{canonical, of_message};
use ecommpay::{Keyring, ProjectKey};
use ecommpay_benches::{SECRET, body, verify};

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
