//! What it costs to verify a callback, beside the bare HMAC over the same string and the official SDKs.
//!
//! `cargo run --release --manifest-path shared/ecommpay/benches/Cargo.toml`
//!
//! The Node SDK is installed at the first run; for PHP's, the variable `PHP_SDK` names a folder with
//! github.com/ITECOMMPAY/paymentpage-sdk-php (measured at cf81e39). Each runs in a process of its own, and they are
//! timed in turn, about 2 ms each, so that whatever else the machine does meets all of them alike. The processes are
//! started anew several times, as where their memory happens to lie makes a difference too. Medians are shown, ratios
//! are those of each round.

mod own;
mod program;

use std::time::{Duration, Instant};

use ecommpay::ProjectKey;
use ecommpay_benches::{SECRET, body};

use crate::own::{HMAC, VERIFY};
use crate::program::{Program, Start};

const STARTS: usize = 10;
const ROUNDS: usize = 50;
const SAMPLE: Duration = Duration::from_millis(2);
/// Until the SDKs' compilers have seen enough.
const WARM_UP: Duration = Duration::from_millis(500);

/// What verifying is compared with, and how often its time it may take.
struct Other {
    start: Start,
    goal: f64,
}

/// A variant's name and nanoseconds for one repetition, in each round.
#[derive(Default)]
struct Samples {
    name: String,
    nanoseconds: Vec<f64>,
}

fn main() -> Result<(), String> {
    if let Some(what) = std::env::args().nth(1) {
        return own::run(&what);
    }
    let key = ProjectKey::new(SECRET).map_err(|error| error.to_string())?;
    let body = body(&key);
    println!("a body of {} bytes", body.len());
    let ours = program::own(VERIFY)?;
    let mut others = Vec::new();
    for (name, start, goal) in [
        (HMAC, program::own(HMAC), 4.0),
        ("the Node SDK", program::node(), 1.0 / 3.0),
        ("the PHP SDK", program::php(), 1.0 / 3.0),
    ] {
        let runs = |start: Start| Program::start(&start, &body).map(|_| start);
        match start.and_then(runs) {
            Ok(start) => others.push(Other { start, goal }),
            Err(why) => println!("without {name}: {why}"),
        }
    }
    let samples = measured(&ours, &others, &body)?;
    report(&samples, &others);
    Ok(())
}

/// The samples of ours, then of the others.
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
        for _ in 0..ROUNDS {
            for ((program, count), samples) in running.iter_mut().zip(&mut samples) {
                let took = program.time(*count)?;
                let one = took.as_nanos() as f64 / *count as f64;
                samples.nanoseconds.push(one);
                samples.name.clone_from(&program.name);
            }
        }
    }
    Ok(samples)
}

/// Warms a program up and gives the repetitions that take about [`SAMPLE`].
fn warmed(program: &mut Program) -> Result<u64, String> {
    let begin = Instant::now();
    let mut count = 1;
    while begin.elapsed() < WARM_UP {
        let one = program.time(count)?.div_f64(count as f64);
        count = (SAMPLE.div_duration_f64(one) as u64).max(1);
    }
    Ok(count)
}

fn report(samples: &[Samples], others: &[Other]) {
    println!("{STARTS} starts of {ROUNDS} rounds, medians");
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
        let judged = if ratio <= goal { "holds" } else { "FAILS" };
        println!(
            "{VERIFY} / {}: {ratio:.3}, goal at most {goal:.3}: {judged}",
            samples.name
        );
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
