//! Sustained load on the functions as they are deployed.
//!
//! `cargo run --release --bin load -- --minutes 10`, after `cargo lambda build --release` or `infra/deploy.py build`

use std::path::PathBuf;
use std::time::Duration;

use bench::load::{self, Options, Outcome, mega, millis, quantile};
use clap::Parser;

/// Sustained load: checkouts with their callbacks.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder with the functions, NAME/bootstrap.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/lambda"))]
    functions: PathBuf,
    /// Sandboxes of each function.
    #[arg(long, default_value_t = 4)]
    sandboxes: u32,
    /// Payments that begin in a second, at most.
    #[arg(long, default_value_t = 500.0)]
    rate: f64,
    /// Payments under way at once, at most: with more to do, they begin as others end.
    #[arg(long, default_value_t = 16)]
    under_way: usize,
    /// How long payments begin.
    #[arg(long, default_value_t = 0.5)]
    minutes: f64,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let options = Options {
        checkout: arguments.functions.join("checkout/bootstrap"),
        callback: arguments.functions.join("callback/bootstrap"),
        sandboxes: arguments.sandboxes,
        rate: arguments.rate,
        under_way: arguments.under_way,
        length: Duration::from_secs_f64(arguments.minutes * 60.0),
        told_every: Duration::from_secs(10),
        lost_message: None,
    };
    let outcome = load::run(&options, |window| println!("{window}")).await?;
    summary(&outcome);
    Ok(())
}

fn summary(outcome: &Outcome) {
    let payments = f64::from(outcome.payments);
    let rate = payments / outcome.took.as_secs_f64();
    println!("{} payments, {rate:.1} a second, no error", outcome.payments);
    println!("{:?}", outcome.found);
    let _ = (millis(quantile(&[], 0.5)), mega(0));
}
