//! Runs a command that ends together with this process, with all its children.
//!
//! The measured functions must be direct children of the measuring process, so `supervise.py` cannot start them. Instead
//! this program starts a second copy of itself below the sandbox's `supervise.py`, which holds the other end of a pipe. When
//! the pipe closes, because of Ctrl-C, a panic or SIGKILL, `supervise.py` ends everything below it.

use std::ffi::OsString;
use std::process::{ExitCode, Stdio};

use anyhow::Context;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sandbox/supervise.py");
/// Set for a supervised command.
const VARIABLE: &str = "BENCH_SUPERVISED";
/// The exit status after a signal from the terminal.
const INTERRUPTED: u8 = 130;

/// Whether this process runs supervised.
pub fn is_supervised() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Runs a command until it ends or this process receives a signal. Returns the command's exit status.
///
/// # Errors
///
/// If Python 3 is missing.
pub async fn run(command: &[OsString]) -> anyhow::Result<u8> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    // In its own process group the command does not receive the terminal's signals.
    let mut child = Command::new("python3")
        .args(["-I", SCRIPT, "--"])
        .args(command)
        .env(VARIABLE, "1")
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .context("Python 3 cannot be started")?;
    let pipe = child.stdin.take();
    tokio::select! {
        status = child.wait() => {
            let code = status?.code().unwrap_or(1);
            return Ok(u8::try_from(code).unwrap_or(1));
        }
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    drop(pipe);
    child.wait().await?;
    Ok(INTERRUPTED)
}

/// Runs this program again, supervised, with the same arguments.
///
/// # Errors
///
/// As [`run`].
pub async fn run_self() -> anyhow::Result<ExitCode> {
    let program = std::env::current_exe()?.into_os_string();
    let command: Vec<OsString> = std::iter::once(program)
        .chain(std::env::args_os().skip(1))
        .collect();
    run(&command).await.map(ExitCode::from)
}
