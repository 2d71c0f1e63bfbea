//! The Python that the local AWS runs on: found on the machine, its packages pinned and kept apart in the workspace.
//! Files for tests come the same way.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::progress::say;
use crate::supervised::{Supervisor, last_line, log_to};
use crate::workspace;

const CANDIDATES: [&str; 6] = [
    "python3",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python",
];
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/requirements.txt");

// First line: major and minor. Then what makes an environment of one interpreter useless for another.
const DESCRIBE: &str = "import sys; v = sys.version_info; print(v[0], v[1]); print(sys.executable); print(sys.version)";

/// A Python that is new enough.
#[derive(Clone, Debug)]
pub struct Python {
    /// The interpreter.
    pub path: PathBuf,
    /// Where it lies and which build it is, on one or more lines.
    description: String,
}

/// Finds Python 3.10 or newer: the one that the variable `PYTHON` names, else the first on the search path.
///
/// # Errors
///
/// When there is none; the message says what to install.
pub async fn find() -> anyhow::Result<Python> {
    if let Some(named) = std::env::var_os("PYTHON").filter(|name| !name.is_empty()) {
        let shown = named.to_string_lossy().into_owned();
        return match describe(named).await {
            Found::Good(python) => Ok(python),
            Found::TooOld(version) => {
                bail!("PYTHON names {shown}, which is Python {version}; 3.10 or newer is needed")
            }
            Found::Nothing => bail!("PYTHON names {shown}, which does not run"),
        };
    }
    let mut too_old = None;
    for name in CANDIDATES {
        match describe(name.into()).await {
            Found::Good(python) => return Ok(python),
            Found::TooOld(version) => too_old = too_old.or(Some(version)),
            Found::Nothing => {}
        }
    }
    match too_old {
        Some(version) => bail!(
            "Only Python {version} was found: install Python 3.10 or newer, or name one in the variable PYTHON"
        ),
        None => bail!(
            "No Python was found: install Python 3.10 or newer, or name one in the variable PYTHON"
        ),
    }
}

enum Found {
    Good(Python),
    TooOld(String),
    Nothing,
}

async fn describe(name: OsString) -> Found {
    let run = Command::new(&name)
        .args(["-I", "-c", DESCRIBE])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(Duration::from_secs(20), run).await {
        Ok(Ok(output)) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(Err(_)) | Err(_) => return Found::Nothing,
    };
    let Some((version, description)) = output.split_once('\n') else {
        return Found::Nothing;
    };
    let mut numbers = version
        .split_whitespace()
        .map(|number| number.parse::<u32>().unwrap_or(0));
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= (3, 10) => {
            // The interpreter itself, not a version manager's wrapper of that name.
            let path = description
                .lines()
                .next()
                .filter(|path| !path.is_empty())
                .map_or(name.into(), PathBuf::from);
            Found::Good(Python {
                path,
                description: description.to_owned(),
            })
        }
        (Some(major), Some(minor)) => Found::TooOld(format!("{major}.{minor}")),
        _ => Found::Nothing,
    }
}

/// The interpreter of the local AWS's environment.
///
/// # Errors
///
/// When the environment cannot be made; the message says what to install or where the log is.
pub async fn environment(python: &Python, supervisor: &Supervisor) -> anyhow::Result<PathBuf> {
    let what = "the local AWS's Python packages";
    environment_of(python, supervisor, Path::new(REQUIREMENTS), what).await
}

/// The interpreter of an environment with pinned packages, which the user is told as `what`. It is made once per
/// machine, requirements file and Python.
///
/// # Errors
///
/// When the environment cannot be made; the message says what to install or where the log is.
pub async fn environment_of(
    python: &Python,
    supervisor: &Supervisor,
    requirements: &Path,
    what: &str,
) -> anyhow::Result<PathBuf> {
    let name = name("python", requirements, &python.description)?;
    let home = once(&name, what, async |home, log| {
        make(python, supervisor, home, log).await?;
        install(supervisor, &home.join("bin/python"), requirements, &[], log).await
    });
    Ok(home.await?.join("bin/python"))
}

/// A folder with nothing but the files of pinned packages, for a file that one of them brings. They are fetched once
/// per machine and requirements file, without what they depend on.
///
/// # Errors
///
/// When they cannot be fetched; the message says where the log is.
pub async fn files(
    interpreter: &Path,
    supervisor: &Supervisor,
    requirements: &Path,
) -> anyhow::Result<PathBuf> {
    let name = name("files", requirements, "")?;
    once(&name, "files from Python packages", async |home, log| {
        let into = [
            "--no-deps".as_ref(),
            "--only-binary=:all:".as_ref(),
            "--target".as_ref(),
            home.as_os_str(),
        ];
        install(supervisor, interpreter, requirements, &into, log).await
    })
    .await
}

/// The name of a tool's folder: another one as soon as the requirements change.
fn name(kind: &str, requirements: &Path, description: &str) -> anyhow::Result<String> {
    let content = std::fs::read(requirements)
        .with_context(|| format!("{} cannot be read", requirements.display()))?;
    let mut hash = Sha256::new();
    hash.update(&content);
    hash.update(description);
    let hash = hash.finalize();
    let digits = hash.iter().take(6).map(|byte| format!("{byte:02x}"));
    Ok(format!("{kind}-{}", digits.collect::<String>()))
}

/// A tool's folder, made if it is not there yet; processes that start at the same time wait for the one that makes it.
async fn once(
    name: &str,
    what: &str,
    make: impl AsyncFnOnce(&Path, &Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let tools = workspace::root().join(".tools");
    std::fs::create_dir_all(&tools)
        .with_context(|| format!("{} cannot be made", tools.display()))?;
    let home = tools.join(name);
    // Written last, so that a half-made folder is never used.
    let complete = home.join("complete");
    if complete.exists() {
        return Ok(home);
    }
    let _lock = lock(&home.with_extension("lock")).await?;
    if complete.exists() {
        return Ok(home);
    }
    if home.exists() {
        std::fs::remove_dir_all(&home)
            .with_context(|| format!("{} cannot be removed", home.display()))?;
    }
    say(&format!("Installing {what}; this happens once"));
    make(&home, &home.with_extension("log")).await?;
    std::fs::write(&complete, "")
        .with_context(|| format!("{} cannot be written", complete.display()))?;
    Ok(home)
}

/// Waits for the lock without holding up a thread, so that a signal can end the wait.
async fn lock(path: &Path) -> anyhow::Result<File> {
    let file =
        File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
            }
        }
        if !told {
            say("Waiting for another process that is installing the Python packages");
            told = true;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn make(
    python: &Python,
    supervisor: &Supervisor,
    home: &Path,
    log: &Path,
) -> anyhow::Result<()> {
    let mut command = supervisor.command(&python.path);
    command.args(["-I", "-m", "venv"]).arg(home);
    log_to(&mut command, log)?;
    let status = supervisor.start(command)?.wait().await;
    ensure!(
        status.success() && home.join("bin/python").exists(),
        "{} cannot make a virtual environment: install its venv module (on Debian and Ubuntu: python3-venv); \
         the log is {}",
        python.path.display(),
        log.display()
    );
    Ok(())
}

async fn install(
    supervisor: &Supervisor,
    interpreter: &Path,
    requirements: &Path,
    options: &[&OsStr],
    log: &Path,
) -> anyhow::Result<()> {
    let mut command = supervisor.command(interpreter);
    command
        .args([
            "-I",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
        ])
        .args(["--require-hashes", "--requirement"])
        .arg(requirements)
        .args(options);
    log_to(&mut command, log)?;
    let status = supervisor.start(command)?.wait().await;
    ensure!(
        status.success(),
        "The Python packages cannot be installed: {}; the log is {}",
        last_line(log),
        log.display()
    );
    Ok(())
}
