//! Builds the functions with cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tokio::process::Command;
use tools::Supervisor;

/// Returns the names of the binaries that the functions of a template run.
pub fn binaries(template: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(template)
        .with_context(|| format!("{} cannot be read", template.display()))?;
    let names: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("CodeUri: ../target/lambda/"))
        .collect();
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// Builds binaries of the workspace in the dev profile and returns their paths by name. Cargo prints its progress to
/// standard error.
pub async fn build(
    supervisor: &Supervisor,
    binaries: &[String],
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut command = build_command(supervisor);
    command.current_dir(tools::root());
    run(supervisor, command, binaries).await
}

/// Builds binaries as [`build`] does, but of the workspace in another folder. The output is in the folder `target` of
/// that workspace.
pub async fn build_in(
    supervisor: &Supervisor,
    workspace: &Path,
    binaries: &[String],
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut command = build_command(supervisor);
    command.current_dir(workspace);
    command.env("CARGO_TARGET_DIR", workspace.join("target"));
    run(supervisor, command, binaries).await
}

fn build_command(supervisor: &Supervisor) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = supervisor.command(&cargo);
    // Without `--workspace`, the dependencies would have other features than in `cargo test --workspace`. Then cargo
    // would compile them twice.
    command.args([
        "build",
        "--workspace",
        "--message-format=json-render-diagnostics",
    ]);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(describes_a_package) {
            command.env_remove(name);
        }
    }
    command
}

async fn run(
    supervisor: &Supervisor,
    mut command: Command,
    binaries: &[String],
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    command.args(binaries.iter().flat_map(|name| ["--bin", name]));
    let (status, output) = supervisor.output(command).await?;
    ensure!(
        status.success(),
        "The functions cannot be built; the reason is above"
    );

    let built = executables(&String::from_utf8_lossy(&output));
    binaries
        .iter()
        .map(|name| {
            let path = built
                .get(name)
                .with_context(|| format!("Cargo did not report the path of the binary {name}"))?;
            Ok((name.clone(), path.clone()))
        })
        .collect()
}

/// Whether an outer `cargo run` or `cargo test` set this variable. Such variables describe the package that cargo runs.
///
/// The build script of the crate `ring` reads such variables. If they stayed set, cargo would compile `ring` again for
/// each outer package.
fn describes_a_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
        .iter()
        .any(|start| name.starts_with(start))
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
}

/// Returns the paths of the binaries by name. Each line of cargo's output is a JSON object.
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
