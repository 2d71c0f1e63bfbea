//! Tests the tables of `infra/capacity.md`, and the program that prints them.

use std::process::Command;

use anyhow::ensure;
use capacity::assumptions::Assumptions;
use capacity::tables::{self, Model};

fn printed(arguments: &[&str]) -> anyhow::Result<String> {
    let program = env!("CARGO_BIN_EXE_capacity");
    let output = Command::new(program).args(arguments).output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn the_capacity_document_contains_the_calculated_tables() -> anyhow::Result<()> {
    tables::check()
}

#[test]
fn the_program_prints_all_tables_and_applies_options() -> anyhow::Result<()> {
    let usual = printed(&[])?;
    for (name, table) in Model::read(Assumptions::default())?.tables()? {
        ensure!(usual.contains(&table), "{name} is missing in {usual}");
    }
    ensure!(
        usual.contains("$ per month"),
        "the bill is missing in {usual}"
    );
    for (option, value) in [
        ("--gate-ms", "1000"),
        ("--status-polls", "0.5"),
        ("--traced", "0.2"),
    ] {
        let changed = printed(&[option, value])?;
        ensure!(changed != usual, "{option} has no effect");
    }
    Ok(())
}
