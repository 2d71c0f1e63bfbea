//! Prints what a payment costs, and what so many payments a second need: `cargo run --bin capacity`.

use std::io::Write;

use capacity::assumptions::Assumptions;
use capacity::documents::{Model, price_note};
use clap::Parser;

/// What a payment costs, and what so many payments a second need.
#[derive(Debug, Parser)]
struct CommandLine {
    #[command(flatten)]
    assumptions: Assumptions,
}

fn main() -> anyhow::Result<()> {
    let line = CommandLine::parse();
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", price_note())?;
    for (name, table) in Model::read(line.assumptions)?.tables()? {
        writeln!(output, "\n{name}\n\n{table}")?;
    }
    Ok(())
}
