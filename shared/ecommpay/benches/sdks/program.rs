//! Runs the programs that are compared. Each program verifies a callback repeatedly and measures the time.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use ecommpay_benches::SECRET;

/// Creates the command of a program. The program reads a secret and a callback, and prints the name of the program.
/// Then the program reads numbers of repetitions, and prints the nanoseconds that each number of repetitions took.
pub type Start = Box<dyn Fn() -> Command>;

/// A running program. Dropping this value ends the program.
pub struct Program {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// The name of the program, with versions.
    pub name: String,
}

/// Returns the command that runs this executable with a task as the argument.
pub fn own(task: &'static str) -> Result<Start, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(Box::new(move || {
        let mut command = Command::new(&this);
        command.arg(task);
        command
    }))
}

/// Returns the command for the Node SDK. Installs the SDK first if necessary.
pub fn node() -> Result<Start, String> {
    let folder = installed()?;
    Ok(Box::new(move || {
        let mut command = Command::new("node");
        command.arg(here("sdks/node/driver.js")).arg(&folder);
        command
    }))
}

/// Returns the command for the PHP SDK in the folder that the variable `PHP_SDK` names.
pub fn php() -> Result<Start, String> {
    let folder = std::env::var_os("PHP_SDK")
        .ok_or("PHP_SDK does not name a folder with github.com/ITECOMMPAY/paymentpage-sdk-php")?;
    Ok(Box::new(move || {
        let mut command = Command::new("php");
        // OPcache is on, as on servers. Errors must not go to standard output, because the output is parsed.
        command.args(["-d", "opcache.enable_cli=1", "-d", "display_errors=stderr"]);
        command.arg(here("sdks/driver.php")).arg(&folder);
        command
    }))
}

impl Program {
    /// Starts a program and waits until the program has verified the callback.
    pub fn start(start: &Start, body: &[u8]) -> Result<Self, String> {
        let mut command = start();
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command
            .spawn()
            .map_err(|error| format!("{program} does not start: {error}"))?;
        let (Some(mut input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(format!("{program} has no input or output"));
        };
        let lines = [SECRET.as_bytes(), b"\n", body, b"\n"].concat();
        let mut output = BufReader::new(output).lines();
        let name = match input.write_all(&lines).map(|()| output.next()) {
            Ok(Some(Ok(line))) if !line.starts_with("the SDK ") => line,
            Ok(Some(Ok(line))) => return Err(format!("{program}: {line}")),
            _ => return Err(format!("{program} prints nothing")),
        };
        Ok(Self {
            process,
            input,
            output,
            name,
        })
    }

    /// Returns the time to verify the callback `count` times.
    pub fn time(&mut self, count: u64) -> Result<Duration, String> {
        let ended = |_| format!("{} has ended", self.name);
        writeln!(self.input, "{count}").map_err(ended)?;
        let line = self.output.next().and_then(Result::ok);
        let nanoseconds = line.and_then(|line| line.parse().ok());
        nanoseconds
            .map(Duration::from_nanos)
            .ok_or_else(|| format!("{} has not printed a time", self.name))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program stores nothing, so it can be killed at any time.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Installs the pinned Node SDK, unless it is installed already, and returns its folder.
fn installed() -> Result<PathBuf, String> {
    let scripts = here("../../../infra/tools");
    let mut install = Command::new("python3")
        .arg("-I")
        .arg(scripts.join("supervise.py"))
        .args(["--", "python3", "-I"])
        .arg(scripts.join("install.py"))
        .arg(here("sdks/node/package-lock.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("python3 does not start: {error}"))?;
    // The installation stops if its standard input is closed.
    let hold = install.stdin.take();
    let output = install.wait_with_output();
    drop(hold);
    match output {
        Ok(output) if output.status.success() => {
            let folder = String::from_utf8_lossy(&output.stdout);
            Ok(folder.trim_end().into())
        }
        _ => Err("the Node SDK cannot be installed; the reason is above".to_owned()),
    }
}
