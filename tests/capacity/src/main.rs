//! Prints the tables of `infra/capacity.md` and the AWS bill: `cargo run --bin capacity`.

use std::io::Write;

use capacity::assumptions::Assumptions;
use capacity::bill::{Bill, Prices};
use capacity::tables::Model;
use clap::Parser;

/// Calculates limits, load and the AWS bill
#[derive(Debug, Parser)]
struct CommandLine {
    #[command(flatten)]
    assumptions: Assumptions,
}

fn main() -> anyhow::Result<()> {
    let line = CommandLine::parse();
    let model = Model::read(line.assumptions)?;
    let prices = Prices::read()?;
    let bill = Bill {
        model: &model,
        prices: &prices,
    };
    let mut output = std::io::stdout().lock();
    for (name, table) in model.tables()?.into_iter().chain(bill.tables()?) {
        writeln!(output, "{name}\n\n{table}")?;
    }
    Ok(())
}
