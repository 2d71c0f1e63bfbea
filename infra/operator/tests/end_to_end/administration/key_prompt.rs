//! Tests the prompt for a key on a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use anyhow::{Context, ensure};
use nix::pty::openpty;
use tokio::io::AsyncReadExt;

use crate::operator::Operator;

const KEY: &str = "canary-typed-project-key";

pub async fn a_typed_key_is_not_shown(operator: &Operator) -> anyhow::Result<()> {
    operator.add_secret(KEY);
    let pty = openpty(None, None)?;
    let (mut terminal, program_side) = (File::from(pty.master), pty.slave);
    let mut command = operator.command(&["--yes", "project-key", "add", "--project", "214"]);
    command.stdin(Stdio::from(program_side.try_clone()?));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut stderr = child.stderr.take().context("no standard error")?;
    let mut prompt = Vec::new();
    while !prompt.ends_with(b"key of project 214: ") {
        let read = stderr.read_buf(&mut prompt).await?;
        ensure!(read > 0, "{}", String::from_utf8_lossy(&prompt));
    }
    terminal.write_all(format!("{KEY}\n").as_bytes())?;
    let output = child.wait_with_output().await?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{stdout}");

    // After the tool has read the key, the terminal shows input again. The terminal must not have shown the key.
    terminal.write_all(b"shown\n")?;
    let mut screen = Vec::new();
    while !screen.ends_with(b"shown\r\n") {
        let mut next = [0];
        terminal.read_exact(&mut next)?;
        screen.extend(next);
    }
    let screen = String::from_utf8(screen)?;
    ensure!(!screen.contains("canary"), "{screen}");
    let listed = operator.succeeds(&["project-key", "list"], "").await?;
    ensure!(listed.contains("\n214,"), "{listed}");
    Ok(())
}
