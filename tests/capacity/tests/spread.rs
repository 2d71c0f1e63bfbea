//! Tests that the product's own keys distribute payments as evenly as the calculation assumes. `LONG=1` simulates
//! 1,000,000 instead of 100,000 payments.

use anyhow::ensure;
use capacity::assumptions::Assumptions;
use capacity::spread::simulate;
use capacity::tables::{Model, SIMULATED};

fn check(rate: u64) -> anyhow::Result<()> {
    let is_long = std::env::var("LONG").is_ok_and(|long| long == "1");
    let payments = if is_long { 10 * SIMULATED } else { SIMULATED };
    let (table, queue) = Model::read(Assumptions::default())?.partitions(rate)?;
    let simulation = simulate(payments, rate, table, queue)?;
    for spread in &simulation.spreads {
        ensure!(spread.is_even(), "{spread:?}");
    }
    // Each payment must have its own message group, so that no payment waits for another.
    ensure!(u64::try_from(simulation.groups)? == payments);
    Ok(())
}

#[test]
fn a_hundred_payments_per_second_are_distributed_as_assumed() -> anyhow::Result<()> {
    check(100)
}

#[test]
fn ten_thousand_payments_per_second_are_distributed_as_assumed() -> anyhow::Result<()> {
    check(10_000)
}
