//! Compares the time to verify a callback with two other times: the time of the official SDKs, and the time of the HMAC
//! alone over the same canonical string.
//!
//! `cargo run --release --manifest-path shared/ecommpay/benches/Cargo.toml`
//!
//! The first run installs the Node SDK. For the PHP SDK, the variable `PHP_SDK` names a folder with
//! github.com/ITECOMMPAY/paymentpage-sdk-php (measured at commit cf81e39).
//!
//! Our code, the HMAC and each SDK run in separate processes. The benchmark times them in turn, about 2 ms each, so
//! that other load on the machine affects all processes alike. The processes are started 10 times, because the memory
//! layout of a process also affects the time. The output shows medians. A ratio is the median of the ratios of adjacent
//! samples.

mod own;
mod program;

use std::time::{Duration, Instant};

use ecommpay::ProjectKey;
use ecommpay_benches::{SECRET, body};

use crate::own::{HMAC, VERIFY};
use crate::program::{Program, Start};

/// The number of times that each program is started.
const STARTS: usize = 10;
const SAMPLES_PER_START: usize = 50;
/// The approximate duration of one sample.
const SAMPLE: Duration = Duration::from_millis(2);
/// The time for which each program runs before it is measured: long enough for just-in-time compilers.
const WARM_UP: Duration = Duration::from_millis(500);

/// A program to compare with. The `goal` is the maximum ratio of our time to the time of this program.
struct Other {
    start: Start,
    goal: f64,
}

/// The name of a program, and the nanoseconds of one repetition in each sample.
#[derive(Default)]
struct Samples {
    name: String,
    nanoseconds: Vec<f64>,
}

fn main() -> Result<(), String> {
    if let Some(task) = std::env::args().nth(1) {
        return own::run(&task);
    }
    let key = ProjectKey::new(SECRET).map_err(|error| error.to_string())?;
    let body = body(&key);
    println!("body: {} bytes", body.len());
    let ours = program::own(VERIFY)?;
    let mut others = Vec::new();
    for (name, start, goal) in [
        (HMAC, program::own(HMAC), 4.0),
        ("the Node SDK", program::node(), 1.0 / 3.0),
        ("the PHP SDK", program::php(), 1.0 / 3.0),
    ] {
        let try_start = |start: Start| Program::start(&start, &body).map(|_| start);
        match start.and_then(try_start) {
            Ok(start) => others.push(Other { start, goal }),
            Err(error) => println!("without {name}: {error}"),
        }
    }
    let samples = measured(&ours, &others, &body)?;
    report(&samples, &others);
    Ok(())
}

/// Returns the samples of our program, then the samples of the other programs.
fn measured(ours: &Start, others: &[Other], body: &[u8]) -> Result<Vec<Samples>, String> {
    let others = others.iter().map(|other| &other.start);
    let starts: Vec<&Start> = [ours].into_iter().chain(others).collect();
    let mut samples: Vec<Samples> = starts.iter().map(|_| Samples::default()).collect();
    for _ in 0..STARTS {
        let mut running = Vec::new();
        for start in &starts {
            let mut program = Program::start(start, body)?;
            let count = warmed(&mut program)?;
            running.push((program, count));
        }
        for _ in 0..SAMPLES_PER_START {
            for ((program, count), samples) in running.iter_mut().zip(&mut samples) {
                let time = program.time(*count)?;
                samples
                    .nanoseconds
                    .push(time.as_nanos() as f64 / *count as f64);
                samples.name.clone_from(&program.name);
            }
        }
    }
    Ok(samples)
}

/// Warms a program up. Returns the number of repetitions that take about [`SAMPLE`].
fn warmed(program: &mut Program) -> Result<u64, String> {
    let start = Instant::now();
    let mut count = 1;
    while start.elapsed() < WARM_UP {
        let one = program.time(count)?.div_f64(count as f64);
        count = (SAMPLE.div_duration_f64(one) as u64).max(1);
    }
    Ok(count)
}

fn report(samples: &[Samples], others: &[Other]) {
    println!("{STARTS} starts with {SAMPLES_PER_START} samples each, medians");
    for samples in samples {
        let nanoseconds = median(samples.nanoseconds.clone());
        println!("{nanoseconds:>9.0} ns  {}", samples.name);
    }
    let [ours, of_others @ ..] = samples else {
        return;
    };
    for (samples, other) in of_others.iter().zip(others) {
        let pairs = ours.nanoseconds.iter().zip(&samples.nanoseconds);
        let ratio = median(pairs.map(|(ours, other)| ours / other).collect());
        let goal = other.goal;
        let result = if ratio <= goal { "passed" } else { "FAILED" };
        println!(
            "{VERIFY} / {}: {ratio:.3}, goal at most {goal:.3}: {result}",
            samples.name
        );
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
