//! Sustained load on the functions as they are deployed.
//!
//! `cargo run --release -p bench --example load -- --minutes 10`, after `infra/deploy.py build`

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use bench::load::{self, Options, Summary};
use clap::Parser;
use tools::supervised;

/// Set where this program runs supervised.
const SUPERVISED: &str = "LOAD_SUPERVISED";

/// By what part memory may grow once it has settled. Ten minutes are tens of thousands of payments, so a sandbox that keeps a
/// hundred bytes of each of its own is found.
const MOST_GROWTH: f64 = 0.05;

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
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut own = std::env::args_os();
    if std::env::var_os(SUPERVISED).is_none() {
        let program = own.next().context("a program has a name")?;
        let command = [
            OsString::from("env"),
            format!("{SUPERVISED}=1").into(),
            program,
        ];
        let command: Vec<OsString> = command.into_iter().chain(own).collect();
        return supervised::run(&command).await.map(ExitCode::from);
    }
    let folder = arguments.functions.canonicalize();
    let folder = folder.with_context(|| format!("{}", arguments.functions.display()))?;
    let options = Options {
        checkout: folder.join("checkout/bootstrap"),
        callback: folder.join("callback/bootstrap"),
        sandboxes: arguments.sandboxes,
        rate: arguments.rate,
        under_way: arguments.under_way,
        payments: u32::MAX,
        length: Duration::from_secs_f64(arguments.minutes * 60.0),
        told_every: Duration::from_secs(10),
        lost_event: None,
    };
    let outcome = load::run(&options, |window| println!("{window}")).await?;
    print!("{}", Summary(&outcome));
    match outcome.growth() {
        Some(growth) if growth > MOST_GROWTH => {
            println!("memory has grown by {:.0} %", growth * 100.0);
            Ok(ExitCode::FAILURE)
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
