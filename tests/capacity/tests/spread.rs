//! Payments spread over shards, partitions and message groups as the model counts with, by the
//! product's own keys. With `LONG=1`, ten times as many.

use anyhow::ensure;
use capacity::assumptions::Assumptions;
use capacity::documents::{Model, SIMULATED};
use capacity::spread::{Simulation, simulate};

fn payments() -> u64 {
    match std::env::var("LONG") {
        Ok(long) if long == "1" => 10 * SIMULATED,
        _ => SIMULATED,
    }
}

fn at(rate: u64) -> anyhow::Result<Simulation> {
    let (table, queue) = Model::read(Assumptions::default())?.partitions(rate)?;
    simulate(payments(), rate, table, queue)
}

fn holds(simulation: &Simulation) -> anyhow::Result<()> {
    for spread in &simulation.spreads {
        ensure!(spread.is_even(), "{spread:?}");
    }
    // Each payment is a group of its own, so no group waits for another payment.
    ensure!(u64::try_from(simulation.groups)? == payments());
    Ok(())
}

#[test]
fn a_hundred_payments_a_second_spread_as_counted_with() -> anyhow::Result<()> {
    holds(&at(100)?)
}

#[test]
fn ten_thousand_payments_a_second_spread_as_counted_with() -> anyhow::Result<()> {
    holds(&at(10_000)?)
}
