//! Measures the verification of the crate `ecommpay`, and the HMAC alone. Input and output have the format of the SDK
//! programs.

use std::hint::black_box;
use std::io::{BufRead, stdin};
use std::time::Instant;

use ecommpay::json::{Limits, parse};
use ecommpay::signature::{canonical, of_message};
use ecommpay::{Keyring, ProjectKey};
use ecommpay_benches::verify;

pub const VERIFY: &str = "verify";
pub const HMAC: &str = "HMAC alone";

/// Reads lines: a secret, a callback, and then one number of repetitions in each line. Prints the name of the task, and
/// then the nanoseconds that each number of repetitions took.
pub fn run(task: &str) -> Result<(), String> {
    let mut lines = stdin().lock().lines();
    let mut next = || lines.next().and_then(Result::ok);
    let (secret, body) = (next().unwrap_or_default(), next().unwrap_or_default());
    let body = body.as_bytes();
    let key = ProjectKey::new(&secret).map_err(|error| error.to_string())?;
    let message = parse(body, Limits::CALLBACK).map_err(|error| error.to_string())?;
    let signature = of_message(&message).ok_or("the callback is not signed")?;
    let string = canonical(&message);
    let ring = Keyring::new(key.clone(), None);
    if !verify(&ring, body) || verify(&ring, &body.to_ascii_uppercase()) {
        return Err("the verification of the callback is wrong".to_owned());
    }
    println!("{task}");
    while let Some(count) = next() {
        let count: u64 = count.parse().map_err(|_| "not a number")?;
        let start = Instant::now();
        if task == VERIFY {
            repeat(count, || verify(&ring, black_box(body)));
        } else {
            repeat(count, || key.verifies(black_box(&string), &signature));
        }
        println!("{}", start.elapsed().as_nanos());
    }
    Ok(())
}

fn repeat(count: u64, verifies: impl Fn() -> bool) {
    for _ in 0..count {
        black_box(verifies());
    }
}
