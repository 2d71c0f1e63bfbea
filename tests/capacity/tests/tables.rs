//! The tables of the README and of `infra/capacity.md` are those that the calculation makes.

use std::process::Command;

use anyhow::ensure;
use capacity::assumptions::Assumptions;
use capacity::documents::{self, Model};

fn printed(arguments: &[&str]) -> anyhow::Result<String> {
    let program = env!("CARGO_BIN_EXE_capacity");
    let output = Command::new(program).args(arguments).output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn the_documents_have_the_calculated_tables() -> anyhow::Result<()> {
    documents::check()
}

#[test]
fn the_program_prints_them_and_takes_other_assumptions() -> anyhow::Result<()> {
    let usual = printed(&[])?;
    for (name, table) in Model::read(Assumptions::default())?.tables()? {
        ensure!(usual.contains(&table), "{name} is missing in {usual}");
    }
    for (option, value) in [
        ("--gate-ms", "1000"),
        ("--shopper-waits-ms", "3000"),
        ("--questions", "0.5"),
    ] {
        ensure!(
            printed(&[option, value])? != usual,
            "{option} changes nothing"
        );
    }
    Ok(())
}
