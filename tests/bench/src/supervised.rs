//! A program that takes everything along that it has started, however it ends.
//!
//! The functions have to be children of the program that measures them, with nothing in between. So it is that whole
//! program which runs supervised: started by hand it starts itself once more below the sandbox's `supervise.py`, which
//! holds on to a pipe of ours, and when that closes ends the program and everything below it. A panic, Ctrl-C and a
//! SIGKILL all close it.

use std::ffi::OsString;
use std::process::Stdio;

use anyhow::Context;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sandbox/supervise.py");

/// Runs a command below the supervisor until it ends or we are told to end; then all it has started is gone. Gives its
/// exit status.
///
/// # Errors
///
/// When there is no Python 3 to supervise with.
pub async fn run(command: &[OsString]) -> anyhow::Result<u8> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    // A group of its own: a signal from the terminal is ours to pass on.
    let mut child = Command::new("python3")
        .args(["-I", SCRIPT, "--"])
        .args(command)
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .context("There is no Python 3, which ends what is started here")?;
    let hold = child.stdin.take();
    tokio::select! {
        status = child.wait() => {
            let code = status?.code().unwrap_or(1);
            return Ok(u8::try_from(code).unwrap_or(1));
        }
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    drop(hold);
    child.wait().await?;
    Ok(130)
}
