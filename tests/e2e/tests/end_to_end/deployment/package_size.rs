//! Tests the size limits of binaries and packages.

use std::process::Command;

use anyhow::ensure;
use tools::Supervisor;

/// Checks three binaries. Only `good` is allowed. The binary `large` is too large, and the package of `dense` is too
/// large. A package compresses the zeros of a binary, but not the random bytes.
const CHECK: &str = "
import pathlib, random, sys, tempfile
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from deployment.build import check_sizes
from tools.failure import Failure
with tempfile.TemporaryDirectory() as folder:
    for name, noise, rest in [('good', 3_500_000, 4_000_000), ('large', 1_000, 8_000_000), ('dense', 4_100_000, 0)]:
        binary = pathlib.Path(folder, name, 'bootstrap')
        binary.parent.mkdir()
        binary.write_bytes(random.Random(1).randbytes(noise) + bytes(rest))
    try:
        check_sizes(['good', 'large', 'dense'], pathlib.Path(folder))
    except Failure as failure:
        print(failure)";

#[test]
fn a_build_is_refused_when_a_binary_or_a_package_is_too_large() -> anyhow::Result<()> {
    let output = Command::new(Supervisor::new()?.python())
        .args(["-I", "-c", CHECK])
        .arg(tools::root().join("infra"))
        .output()?;
    let output = String::from_utf8(output.stdout)?;
    let refusal = output.lines().last().unwrap_or_default();
    let sentences: Vec<&str> = refusal.split(". ").collect();
    ensure!(sentences.len() == 2, "{output}");
    ensure!(
        sentences[0] == "The binary of large has 8,001,000 bytes; at most 8,000,000 are allowed"
    );
    let dense = "The package of dense has 4,1";
    ensure!(sentences[1].starts_with(dense), "{output}");
    Ok(())
}
