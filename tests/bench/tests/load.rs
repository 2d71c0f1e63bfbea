//! The load at a small scale, with the functions as `cargo build` makes them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use bench::load::{self, Options, Outcome, Summary};
use sandbox::functions;
use tools::Supervisor;

/// So many that each way of a payment occurs.
const PAYMENTS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn each_payment_ends_as_planned_and_a_lost_event_is_noticed() -> anyhow::Result<()> {
    let options = options().await?;
    let outcome = load::run(&options, |_| {}).await?;
    ensure!(outcome.payments == PAYMENTS, "{}", outcome.payments);
    is_told(&outcome)?;

    let losing = Options {
        lost_event: Some((PAYMENTS / 2, 1)),
        ..options
    };
    let failed = load::run(&losing, |_| {}).await.err();
    let failed = failed.context("nobody misses the message")?.to_string();
    ensure!(failed.contains("load-00000010: "), "{failed}");
    ensure!(failed.contains("audit.fifo has ["), "{failed}");
    Ok(())
}

async fn options() -> anyhow::Result<Options> {
    let supervisor = Supervisor::new()?;
    let names = ["checkout", "callback"].map(str::to_owned);
    let built = functions::build(&supervisor, &names).await?;
    let path = |name: &str| -> anyhow::Result<PathBuf> {
        let path = built.get(name).with_context(|| format!("no {name}"))?;
        Ok(path.clone())
    };
    Ok(Options {
        checkout: path("checkout")?,
        callback: path("callback")?,
        sandboxes: 2,
        rate: 100.0,
        under_way: 8,
        payments: PAYMENTS,
        length: Duration::from_secs(600),
        told_every: Duration::from_millis(200),
        lost_event: None,
    })
}

/// All that is told about a run is there.
fn is_told(outcome: &Outcome) -> anyhow::Result<()> {
    ensure!(!outcome.windows.is_empty(), "nothing was told meanwhile");
    let payments: u64 = outcome
        .windows
        .iter()
        .map(|window| window.waited.payments)
        .sum();
    ensure!(payments == u64::from(PAYMENTS), "{payments} were told of");
    for window in &outcome.windows {
        let memory = window.memory.iter().flatten();
        ensure!(memory.clone().count() == 4 && memory.clone().all(|bytes| *bytes > 1 << 20));
    }
    let summary = Summary(outcome).to_string();
    let first = format!("{} payments in", outcome.payments);
    ensure!(summary.starts_with(&first), "{summary}");
    Ok(())
}
