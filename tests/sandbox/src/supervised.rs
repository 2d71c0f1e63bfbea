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
        Self {
            python: python.into(),
            alive: watch::Sender::new(0),
        }
    }

    /// A command that runs `program` supervised. Add arguments, variables and outputs as to any command, then give it
    /// to [`Supervisor::start`]. The program's standard input is empty.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(&self.python);
        command
            .args([
                "-I",
                concat!(env!("CARGO_MANIFEST_DIR"), "/supervise.py"),
                "--",
            ])
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
        Ok(Supervised {
            hold,
            stdout,
            status,
        })
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
            stdout
                .read_to_end(&mut output)
                .await
                .context("A program's output cannot be read")?;
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
    let (stdout, stderr) =
        open().with_context(|| format!("{} cannot be written", path.display()))?;
    command.stdout(stdout).stderr(stderr);
    Ok(())
}

/// The last line of a log that says something, for an error message.
pub fn last_line(path: &Path) -> String {
    let log = std::fs::read(path).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    log.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("no output")
        .to_owned()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::time::Duration;

    use nix::errno::Errno;
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use tokio::io::{AsyncBufReadExt, BufReader as AsyncBufReader};

    use super::*;

    // Three processes to get rid of: itself, a child, and a child that left the process group (which can be found
    // on Linux only).
    const FAMILY: &str = "
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pids = [os.getpid(), subprocess.Popen(['sleep', '300']).pid]
if sys.platform == 'linux':
    pids.append(subprocess.Popen(['sleep', '300'], start_new_session=True).pid)
print(*pids, flush=True)
time.sleep(300)";

    fn start_family() -> Supervised {
        let supervisor = Supervisor::new("python3");
        let mut command = supervisor.command("python3");
        command.args(["-c", FAMILY]).stdout(Stdio::piped());
        supervisor.start(command).unwrap()
    }

    fn pids(line: &str) -> Vec<i32> {
        let pids: Vec<i32> = line
            .split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect();
        assert!(pids.len() >= 2, "{line}");
        pids
    }

    fn is_gone(pid: &i32) -> bool {
        kill(Pid::from_raw(*pid), None) == Err(Errno::ESRCH)
    }

    async fn assert_gone_soon(pids: &[i32]) {
        for _ in 0..1_500 {
            if pids.iter().all(is_gone) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("still there: {pids:?}");
    }

    async fn first_line(family: &mut Supervised) -> String {
        let mut line = String::new();
        AsyncBufReader::new(family.stdout.take().unwrap())
            .read_line(&mut line)
            .await
            .unwrap();
        line
    }

    #[tokio::test]
    async fn dropped_it_takes_grandchildren_along_that_ignore_sigterm_or_left_the_group() {
        let mut family = start_family();
        let pids = pids(&first_line(&mut family).await);
        assert!(!pids.iter().any(is_gone));
        assert_eq!(family.exited(), None);
        drop(family);
        assert_gone_soon(&pids).await;
    }

    #[tokio::test]
    async fn killed_itself_it_takes_its_grandchildren_along() {
        let mut family = start_family();
        let pids = pids(&first_line(&mut family).await);
        kill(Pid::from_raw(pids[0]), Signal::SIGKILL).unwrap();
        assert_eq!(family.wait().await.code(), Some(128 + 9));
        assert!(pids.iter().all(is_gone), "{pids:?}");
    }

    #[tokio::test]
    async fn nothing_survives_when_our_own_process_is_killed() {
        let mut holder = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "supervised::tests::holder", "--nocapture"])
            .env("HOLD_FAMILY", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(holder.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let line = lines.find(|line| line.starts_with("family ")).unwrap();
        let pids = pids(line.trim_start_matches("family"));
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_gone_soon(&pids).await;
    }

    #[tokio::test]
    async fn holder() {
        // The process that the test above kills; without it there is nothing to do.
        if std::env::var_os("HOLD_FAMILY").is_none() {
            return;
        }
        let mut family = start_family();
        println!("\nfamily {}", first_line(&mut family).await);
        family.wait().await;
    }

    #[tokio::test]
    async fn output_and_status_are_the_programs_own() {
        let supervisor = Supervisor::new("python3");
        let mut command = supervisor.command("sh");
        command.args(["-c", "echo hello; exit 3"]);
        let (status, output) = supervisor.output(command).await.unwrap();
        assert_eq!(
            (status.code(), output.as_slice()),
            (Some(3), b"hello\n".as_slice())
        );
        supervisor.all_gone().await;
    }
}
