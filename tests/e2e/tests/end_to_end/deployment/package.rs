//! Tests the archive of a release.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::ensure;
use tools::Supervisor;

/// A program that writes an archive of a folder's files. Its arguments are `infra`, the folder, and the archive's name.
const WRITE: &str = "
import pathlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from deployment.package import write
folder = pathlib.Path(sys.argv[2])
files = {'operator': folder / 'operator', 'functions/callback/bootstrap': folder / 'callback'}
write(files, folder, sys.argv[3])";

fn write(folder: &Path, name: &str) -> anyhow::Result<()> {
    let output = Command::new(Supervisor::new()?.python())
        .args(["-I", "-c", WRITE])
        .arg(tools::root().join("infra"))
        .args([folder.as_os_str(), name.as_ref()])
        .output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(())
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(program);
    Ok(command.current_dir(folder).args(arguments).output()?)
}

#[test]
fn an_archive_has_the_programs_and_the_checksum_detects_a_change() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
    let folder = folder.as_path();
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join("operator"), "#!/bin/sh\necho operator\n")?;
    fs::write(folder.join("callback"), "#!/bin/sh\necho callback\n")?;
    write(folder, "one")?;
    let archive = folder.join("one.tar.gz");

    let check = ["--check", "--status", "one.tar.gz.sha256"];
    ensure!(run(folder, "sha256sum", &check)?.status.success());
    run(folder, "tar", &["--extract", "--file", "one.tar.gz"])?;
    for (program, printed) in [
        ("one/operator", "operator\n"),
        ("one/functions/callback/bootstrap", "callback\n"),
    ] {
        let program = folder.join(program);
        let output = run(folder, &program.to_string_lossy(), &[])?;
        ensure!(output.stdout == printed.as_bytes(), "{output:?}");
    }

    let first = fs::read(&archive)?;
    write(folder, "one")?;
    ensure!(
        fs::read(&archive)? == first,
        "the same files give another archive"
    );
    fs::write(&archive, [first.as_slice(), b"!"].concat())?;
    ensure!(!run(folder, "sha256sum", &check)?.status.success());
    Ok(())
}

#[test]
fn the_version_of_a_release_is_the_version_of_the_workspace() -> anyhow::Result<()> {
    let output = Command::new(Supervisor::new()?.python())
        .arg(tools::root().join("infra/deploy.py"))
        .arg("version")
        .output()?;
    let version = format!("{}\n", env!("CARGO_PKG_VERSION"));
    ensure!(output.stdout == version.as_bytes(), "{output:?}");
    Ok(())
}
