//! Child processes that certainly end with us.
//!
//! Whatever ends this process, SIGKILL included, nothing it started may stay. So each program runs below
//! `supervise.py`, which holds on to our end of a pipe and stops the program and everything below it when the pipe
//! closes. A death signal set in the child would be simpler but needs unsafe code and does not reach grandchildren
//! such as the functions that the local AWS starts.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use anyhow::Context;
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

/// Starts programs under supervision and knows when all of them are gone. Clones share that knowledge.
#[derive(Clone, Debug)]
pub struct Supervisor {
    python: PathBuf,
    alive: watch::Sender<usize>,
}

impl Supervisor {
    /// A supervisor that runs its script with this Python.
    pub fn new(python: impl Into<PathBuf>) -> Self {
        Self { python: python.into(), alive: watch::Sender::new(0) }
    }

    /// A command that runs `program` supervised. Add arguments, variables and outputs as to any command, then give it
    /// to [`Supervisor::start`]. The program's standard input is empty.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(&self.python);
        command
            .args(["-I", concat!(env!("CARGO_MANIFEST_DIR"), "/supervise.py"), "--"])
            .arg(program);
        command
    }

    /// Starts a command made by [`Supervisor::command`].
    ///
    /// # Errors
    ///
    /// When the supervising process cannot be started. A program that cannot be started shows as exit status 127.
    pub fn start(&self, mut command: Command) -> anyhow::Result<Supervised> {
        // A group of its own: a signal from the terminal is ours to pass on, in our order.
        let mut child = command
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.python.display()))?;
        let hold = child.stdin.take();
        let stdout = child.stdout.take();
        let (ended, status) = watch::channel(None);
        self.alive.send_modify(|count| *count += 1);
        let alive = self.alive.clone();
        tokio::spawn(async move {
            let status = child.wait().await.unwrap_or_default();
            alive.send_modify(|count| *count -= 1);
            ended.send_replace(Some(status));
        });
        Ok(Supervised { hold, stdout, status })
    }

    /// Runs a command to its end and returns its status and what it wrote to standard output. Dropping the future
    /// stops the program.
    ///
    /// # Errors
    ///
    /// When the supervising process cannot be started or its output cannot be read.
    pub async fn output(&self, mut command: Command) -> anyhow::Result<(ExitStatus, Vec<u8>)> {
        command.stdout(Stdio::piped());
        let mut supervised = self.start(command)?;
        let mut output = Vec::new();
        if let Some(mut stdout) = supervised.stdout.take() {
            stdout.read_to_end(&mut output).await.context("A program's output cannot be read")?;
        }
        Ok((supervised.wait().await, output))
    }

    /// Waits until nothing that was started here, or by a clone, runs any more. It does not stop anything.
    pub async fn all_gone(&self) {
        // The sender is ours, so the channel cannot close under us.
        let _ = self.alive.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// A program under supervision. Dropping it stops the program without waiting for its end.
#[derive(Debug)]
pub struct Supervised {
    hold: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    status: watch::Receiver<Option<ExitStatus>>,
}

impl Supervised {
    /// The program's exit status once it and everything it started are gone.
    pub fn exited(&self) -> Option<ExitStatus> {
        *self.status.borrow()
    }

    /// Waits until the program has ended and everything it started is gone.
    pub async fn wait(&self) -> ExitStatus {
        let mut status = self.status.clone();
        match status.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or_default(),
            // Only when the runtime shuts down, and with it whoever waits here.
            Err(_) => ExitStatus::default(),
        }
    }

    /// Stops the program and waits until everything is gone.
    pub async fn stop(mut self) {
        drop(self.hold.take());
        self.wait().await;
    }
}

/// Sends a command's standard output and standard error to one file, which is emptied first.
///
/// # Errors
///
/// When the file cannot be written.
pub fn log_to(command: &mut Command, path: &Path) -> anyhow::Result<()> {
    let open = || -> std::io::Result<(File, File)> {
        let file = File::create(path)?;
        Ok((file.try_clone()?, file))
    };
    let (stdout, stderr) = open().with_context(|| format!("{} cannot be written", path.display()))?;
    command.stdout(stdout).stderr(stderr);
    Ok(())
}

/// The last line of a log that says something, for an error message.
pub fn last_line(path: &Path) -> String {
    let log = std::fs::read(path).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    log.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no output").to_owned()
}
