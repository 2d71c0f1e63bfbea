//! Implements the program behind `cargo run`, which runs a sandbox until Ctrl-C or until the user's command ends.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use sandbox::options::{self, Command, CommandLine};
use sandbox::progress::say;
use sandbox::ready::ReadyFile;
use sandbox::rehearsal::Rehearsal;
use sandbox::{Ready, Sandbox, workspace};
use tools::signals::{Signals, pass_on};

#[tokio::main]
async fn main() -> ExitCode {
    let line = match options::parse(std::env::args_os()) {
        Ok(line) => line,
        Err((text, 0)) => {
            let _ = writeln!(std::io::stdout(), "{text}");
            return ExitCode::SUCCESS;
        }
        Err((sentence, status)) => {
            say(&sentence);
            return ExitCode::from(status);
        }
    };
    run(line).await.unwrap_or_else(|error| {
        say(&format!("{error:#}."));
        ExitCode::FAILURE
    })
}

async fn run(line: CommandLine) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::new()?;
    let exec = match line.command {
        Some(Command::Rehearse(rehearsal)) => return rehearse(&rehearsal, &mut signals).await,
        Some(Command::Exec { command }) => Some(command),
        None => None,
    };
    // `claim` deletes the file of a killed run. Otherwise a program could read old addresses while this run starts.
    let sandboxes = workspace::sandboxes();
    let own = sandboxes.join(format!("ready-{}.json", std::process::id()));
    let file = ReadyFile::claim(&sandboxes.join("ready.json"), own)?;

    let mut received = None;
    let sandbox = Sandbox::start_unless(line.options, async {
        received = Some(signals.next().await)
    })
    .await?;
    let Some(sandbox) = sandbox else {
        return Ok(exit_code(128 + received.map_or(0, |signal| signal as i32)));
    };
    let outcome = serve(&sandbox, exec, &file, &mut signals).await;
    sandbox.stop().await;
    outcome
}

async fn serve(
    sandbox: &Sandbox,
    exec: Option<Vec<OsString>>,
    file: &ReadyFile,
    signals: &mut Signals,
) -> anyhow::Result<ExitCode> {
    file.write(sandbox.ready())?;
    match exec {
        Some(command) => run_command(sandbox, &command, file.path(), signals).await,
        None => {
            show(sandbox.ready());
            tokio::select! {
                _ = signals.next() => {
                    say("Stopping");
                    Ok(ExitCode::SUCCESS)
                }
                error = sandbox.failed() => Err(error),
            }
        }
    }
}

/// Rehearses until the result or a signal. The exit status is 0 only if the consumer did everything right.
async fn rehearse(rehearsal: &Rehearsal, signals: &mut Signals) -> anyhow::Result<ExitCode> {
    let outcome = tokio::select! {
        outcome = rehearsal.run() => outcome?,
        signal = signals.next() => return Ok(exit_code(128 + signal as i32)),
    };
    let _ = write!(std::io::stdout(), "{}", outcome.report);
    Ok(match outcome.wrong.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn show(ready: &Ready) {
    let Ready {
        api,
        shop,
        platform,
        aws_endpoint,
        ..
    } = ready;
    say(&format!(
        "\nReady; Ctrl-C stops everything.\n\n  Shop      {shop}\n  API       {api}\n  Platform  {platform}\n  \
         AWS       {aws_endpoint}\n"
    ));
}

/// Runs the user's command and returns its exit status. The command stays in this program's process group, so that it
/// can use the terminal.
async fn run_command(
    sandbox: &Sandbox,
    command: &[OsString],
    ready: &Path,
    signals: &mut Signals,
) -> anyhow::Result<ExitCode> {
    let (program, arguments) = command.split_first().context("There is no command")?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env("SANDBOX_READY", ready)
        .spawn()
        .with_context(|| format!("{} cannot be started", program.to_string_lossy()))?;
    let mut warned = false;
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.context("The command's status is unknown")?;
                return Ok(exit_code(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))));
            }
            signal = signals.next() => {
                if let Some(id) = child.id() {
                    pass_on(signal, id);
                }
            }
            error = sandbox.failed(), if !warned => {
                // This is only a warning, because the exit status of the command decides.
                warned = true;
                say(&format!("{error:#}."));
            }
        }
    }
}

fn exit_code(status: i32) -> ExitCode {
    ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX))
}
