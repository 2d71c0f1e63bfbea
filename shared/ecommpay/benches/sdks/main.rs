//! What it costs to verify a callback, beside the bare HMAC over the same string and the official SDKs.
//!
//! `cargo run --release --manifest-path shared/ecommpay/benches/Cargo.toml`
//!
//! The Node SDK is installed at the first run; for PHP's, the variable `PHP_SDK` names a folder with
//! github.com/ITECOMMPAY/paymentpage-sdk-php (measured at cf81e39). All are timed in turn, about 2 ms each, so that
//! whatever else the machine does meets all of them alike; medians are shown, ratios are those of each round.

mod sdk;

use std::hint::black_box;
use std::time::{Duration, Instant};

use ecommpay::json::{Limits, parse};
use ecommpay::signature::{canonical, of_message};
use ecommpay::{Keyring, ProjectKey};
use ecommpay_benches::{SECRET, body, verify};

use crate::sdk::Sdk;

const ROUNDS: usize = 500;
const SAMPLE: Duration = Duration::from_millis(2);
/// Until the SDKs' compilers have seen enough.
const WARM_UP: Duration = Duration::from_secs(1);

/// Times so many repetitions.
type Timed<'a> = Box<dyn FnMut(u64) -> Result<Duration, String> + 'a>;

/// A row: what it is, and how to time it.
struct Variant<'a> {
    name: String,
    time: Timed<'a>,
    /// Repetitions that take about [`SAMPLE`].
    count: u64,
    /// Nanoseconds for one repetition, in each round.
    samples: Vec<f64>,
}

fn main() -> Result<(), String> {
    let key = ProjectKey::new(SECRET).map_err(|error| error.to_string())?;
    let body = body(&key);
    let message = parse(&body, Limits::CALLBACK).map_err(|error| error.to_string())?;
    let signature = of_message(&message).ok_or("the callback is not signed")?;
    let string = canonical(&message);
    let ring = Keyring::new(key.clone(), None);
    if !verify(&ring, &body) || verify(&ring, &body.to_ascii_uppercase()) {
        return Err("the callback is not verified as it should be".to_owned());
    }
    println!(
        "body {} bytes, canonical string {} bytes",
        body.len(),
        string.len()
    );

    let ours = Variant::warmed("verify", repeated(|| verify(&ring, black_box(&body))))?;
    let hmac = repeated(|| key.verifies(black_box(&string), &signature));
    let hmac = Variant::warmed("HMAC alone", hmac)?;
    let node = of_sdk("Node SDK", sdk::node(&body))?;
    let php = of_sdk("PHP SDK", sdk::php(&body))?;

    let mut variants = vec![ours, hmac];
    let places = [
        Ok(1),
        placed(&mut variants, node),
        placed(&mut variants, php),
    ];
    for _ in 0..ROUNDS {
        for variant in &mut variants {
            variant.sample()?;
        }
    }
    report(&variants, places);
    Ok(())
}

/// A row for an SDK, or why there is none.
fn of_sdk(
    name: &str,
    sdk: Result<Sdk, String>,
) -> Result<Result<Variant<'static>, String>, String> {
    let mut sdk = match sdk {
        Ok(sdk) => sdk,
        Err(why) => return Ok(Err(format!("{name}: {why}"))),
    };
    let name = sdk.name.clone();
    Variant::warmed(&name, Box::new(move |count| sdk.time(count))).map(Ok)
}

/// Puts a variant, if there is one, behind the others, and says where.
fn placed<'a>(
    variants: &mut Vec<Variant<'a>>,
    variant: Result<Variant<'a>, String>,
) -> Result<usize, String> {
    variants.push(variant?);
    Ok(variants.len() - 1)
}

fn repeated<'a>(verifies: impl Fn() -> bool + 'a) -> Timed<'a> {
    Box::new(move |count| {
        let begin = Instant::now();
        for _ in 0..count {
            black_box(verifies());
        }
        Ok(begin.elapsed())
    })
}

impl<'a> Variant<'a> {
    fn warmed(name: &str, mut time: Timed<'a>) -> Result<Self, String> {
        let begin = Instant::now();
        let mut count = 1;
        while begin.elapsed() < WARM_UP {
            let one = time(count)?.div_f64(count as f64);
            count = (SAMPLE.div_duration_f64(one) as u64).max(1);
        }
        Ok(Self {
            name: name.to_owned(),
            time,
            count,
            samples: Vec::with_capacity(ROUNDS),
        })
    }

    fn sample(&mut self) -> Result<(), String> {
        let elapsed = (self.time)(self.count)?;
        self.samples
            .push(elapsed.as_nanos() as f64 / self.count as f64);
        Ok(())
    }
}

/// The rows, and verifying against the HMAC, Node and PHP, in this order.
fn report(variants: &[Variant<'_>], places: [Result<usize, String>; 3]) {
    let [ours, ..] = variants else { return };
    println!("{ROUNDS} rounds, medians");
    for variant in variants {
        println!(
            "{:>9.0} ns  {}",
            median(variant.samples.clone()),
            variant.name
        );
    }
    for (place, goal) in places.into_iter().zip([4.0, 1.0 / 3.0, 1.0 / 3.0]) {
        let other = match place.map(|place| variants.get(place)) {
            Ok(Some(other)) => other,
            Ok(None) => continue,
            Err(why) => {
                println!("not measured: {why}");
                continue;
            }
        };
        let ratios = ours.samples.iter().zip(&other.samples);
        let ratio = median(ratios.map(|(ours, other)| ours / other).collect());
        let judged = if ratio <= goal { "holds" } else { "FAILS" };
        println!(
            "verify / {}: {ratio:.3}, goal at most {goal:.3}: {judged}",
            other.name
        );
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
