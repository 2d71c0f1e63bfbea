//! Builds the functions with cargo, exactly as a developer would.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::supervised::Supervisor;
use crate::workspace;

/// Builds binaries of the workspace in the dev profile and returns where each lies. Cargo's own progress goes to
/// standard error.
///
/// # Errors
///
/// When cargo fails, or a binary is not one of the workspace's.
pub async fn build(
    supervisor: &Supervisor,
    binaries: &[String],
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = supervisor.command(&cargo);
    // For the whole workspace, so that dependencies have the features that `cargo build` and `cargo test` give them
    // and nothing is compiled twice.
    command
        .current_dir(workspace::root())
        .args([
            "build",
            "--workspace",
            "--message-format=json-render-diagnostics",
        ])
        .args(binaries.iter().flat_map(|name| ["--bin", name]));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_a_package) {
            command.env_remove(name);
        }
    }
    let (status, output) = supervisor.output(command).await?;
    ensure!(
        status.success(),
        "The functions cannot be built; cargo says why above"
    );

    let built = executables(&String::from_utf8_lossy(&output));
    binaries
        .iter()
        .map(|name| {
            let path = built
                .get(name)
                .with_context(|| format!("Cargo did not say where it put the binary {name}"))?;
            Ok((name.clone(), path.clone()))
        })
        .collect()
}

/// What an outer `cargo run` or `cargo test` says about the package it runs. Build scripts that look at these (ring's
/// does) would run again, and everything above them, each time the outer package differs.
fn is_about_a_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
        .iter()
        .any(|start| name.starts_with(start))
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
}

/// Reads cargo's messages, one JSON object a line.
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| {
            let path = message.get("executable")?.as_str()?;
            let name = message.pointer("/target/name")?.as_str()?;
            Some((name.to_owned(), PathBuf::from(path)))
        })
        .collect()
}
