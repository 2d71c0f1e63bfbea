//! Runs programs that end with this process.
//!
//! Each program is a child of `infra/tools/supervise.py`. When this process ends, even by SIGKILL, the script stops the
//! program and all its descendants.
//!
//! Linux's parent-death signal (`PR_SET_PDEATHSIG`) could not replace the script. Setting it needs unsafe code, and it
//! does not reach grandchildren, such as the functions that the local AWS starts.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use anyhow::Context;
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use crate::python;
use crate::signals::Signals;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../infra/tools/supervise.py"
);

/// Starts supervised programs. Its clones share the count of running programs.
#[derive(Clone, Debug)]
pub struct Supervisor {
    python: PathBuf,
    running: watch::Sender<usize>,
}

impl Supervisor {
    /// Creates a supervisor. If Python is missing, the error says what to install.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            python: python::find()?,
            running: watch::Sender::new(0),
        })
    }

    /// Returns the interpreter that runs the supervising script.
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// Returns a command that runs `program` under supervision, with an empty standard input. Pass it to
    /// [`Supervisor::start`].
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-I", SCRIPT, "--"]).arg(program);
        command
    }

    /// Starts a command that [`Supervisor::command`] returned. If the supervising script starts, but cannot start the
    /// program, the exit status is 127.
    pub fn start(&self, mut command: Command) -> anyhow::Result<Supervised> {
        // With its own process group, the child does not receive the Ctrl-C of the terminal. This process stops the
        // programs in order.
        let mut child = command
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.python.display()))?;
        let hold = child.stdin.take();
        let stdout = child.stdout.take();
        let (ended, status) = watch::channel(None);
        self.running.send_modify(|count| *count += 1);
        let running = self.running.clone();
        tokio::spawn(async move {
            let status = child.wait().await.unwrap_or_default();
            running.send_modify(|count| *count -= 1);
            ended.send_replace(Some(status));
        });
        Ok(Supervised {
            hold,
            stdout,
            status,
        })
    }

    /// Runs a command to its end, and returns its status and standard output. Dropping the future stops the program.
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

    /// Waits until all programs of this supervisor and its clones have ended.
    pub async fn all_ended(&self) {
        // The channel cannot close, because this supervisor has its sender.
        let _ = self.running.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// A supervised program. Dropping this value stops the program without a wait.
#[derive(Debug)]
pub struct Supervised {
    hold: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    status: watch::Receiver<Option<ExitStatus>>,
}

impl Supervised {
    /// Waits until the program and its descendants have ended, and returns the program's exit status.
    pub async fn wait(&self) -> ExitStatus {
        let mut status = self.status.clone();
        match status.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or_default(),
            // The runtime is shutting down, and the caller ends with it.
            Err(_) => ExitStatus::default(),
        }
    }

    /// Stops the program, and waits until the program and its descendants have ended.
    pub async fn stop(mut self) {
        drop(self.hold.take());
        self.wait().await;
    }
}

/// Runs a command until it ends or a signal arrives. Returns the exit status for this process.
pub async fn run(command: &[OsString]) -> anyhow::Result<u8> {
    let mut signals = Signals::new()?;
    let supervisor = Supervisor::new()?;
    let (program, arguments) = command.split_first().context("There is no command")?;
    let mut command = supervisor.command(program);
    command.args(arguments);
    let program = supervisor.start(command)?;
    let code = tokio::select! {
        status = program.wait() => status.code().unwrap_or(1),
        signal = signals.next() => 128 + signal as i32,
    };
    program.stop().await;
    Ok(u8::try_from(code).unwrap_or(1))
}

/// Redirects the standard output and standard error of a command into a new file.
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

/// Returns the last non-empty line of a log, for an error message.
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

    // Starts three processes that ignore SIGTERM: the program, a child, and a child in another process group.
    // supervise.py finds other groups only on Linux, so the last child exists only on Linux.
    const FAMILY: &str = "
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pids = [os.getpid(), subprocess.Popen(['sleep', '300']).pid]
if sys.platform == 'linux':
    pids.append(subprocess.Popen(['sleep', '300'], start_new_session=True).pid)
print(*pids, flush=True)
time.sleep(300)";

    fn start_family() -> Supervised {
        let supervisor = Supervisor::new().unwrap();
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

    fn has_ended(pid: &i32) -> bool {
        kill(Pid::from_raw(*pid), None) == Err(Errno::ESRCH)
    }

    async fn assert_all_end(pids: &[i32]) {
        for _ in 0..1_500 {
            if pids.iter().all(has_ended) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("still running: {pids:?}");
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
    async fn dropping_a_program_ends_descendants_that_ignore_sigterm_or_are_in_another_group() {
        let mut family = start_family();
        let pids = pids(&first_line(&mut family).await);
        assert!(!pids.iter().any(has_ended));
        drop(family);
        assert_all_end(&pids).await;
    }

    #[tokio::test]
    async fn all_descendants_end_when_the_program_is_killed() {
        let mut family = start_family();
        let pids = pids(&first_line(&mut family).await);
        kill(Pid::from_raw(pids[0]), Signal::SIGKILL).unwrap();
        assert_eq!(family.wait().await.code(), Some(128 + 9));
        assert!(pids.iter().all(has_ended), "{pids:?}");
    }

    #[tokio::test]
    async fn a_program_ends_when_the_process_that_started_it_is_killed() {
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
        assert_all_end(&pids).await;
    }

    #[tokio::test]
    async fn holder() {
        // This is no test. The test above sets the variable, and runs this function in the process that it kills.
        if std::env::var_os("HOLD_FAMILY").is_none() {
            return;
        }
        let mut family = start_family();
        println!("\nfamily {}", first_line(&mut family).await);
        family.wait().await;
    }

    #[tokio::test]
    async fn run_returns_the_status_of_the_program() {
        let command = ["sh", "-c", "exit 3"].map(OsString::from);
        assert_eq!(run(&command).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn output_returns_the_output_and_the_status_of_the_program() {
        let supervisor = Supervisor::new().unwrap();
        let mut command = supervisor.command("sh");
        command.args(["-c", "echo hello; exit 3"]);
        let (status, output) = supervisor.output(command).await.unwrap();
        assert_eq!(
            (status.code(), output.as_slice()),
            (Some(3), b"hello\n".as_slice())
        );
        supervisor.all_ended().await;
    }
}
