//! A key that somebody types.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use anyhow::{Context, ensure};
use nix::pty::openpty;
use tokio::io::AsyncReadExt;

use crate::keys::desk::Desk;

const TYPED: &str = "canary-typed-project-key";

pub async fn shows_nothing_of_a_key(desk: &Desk) -> anyhow::Result<()> {
    desk.secret(TYPED);
    let pty = openpty(None, None)?;
    let (mut keyboard, terminal) = (File::from(pty.master), pty.slave);
    let mut command = desk.command(&["--yes", "project-key", "add", "--project", "214"]);
    command.stdin(Stdio::from(terminal.try_clone()?));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut told = child.stderr.take().context("nothing is told")?;
    let mut asked = Vec::new();
    while !asked.ends_with(b"key of project 214: ") {
        let read = told.read_buf(&mut asked).await?;
        ensure!(read > 0, "{}", String::from_utf8_lossy(&asked));
    }
    keyboard.write_all(format!("{TYPED}\n").as_bytes())?;
    let output = child.wait_with_output().await?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );

    // It shows again what is typed, as before.
    keyboard.write_all(b"seen\n")?;
    let mut screen = Vec::new();
    while !screen.ends_with(b"seen\r\n") {
        let mut next = [0];
        keyboard.read_exact(&mut next)?;
        screen.extend(next);
    }
    let screen = String::from_utf8(screen)?;
    ensure!(!screen.contains("canary"), "{screen}");
    let listed = desk.done(&["project-key", "list"], "").await?;
    ensure!(listed.contains("\n214,"), "{listed}");
    Ok(())
}
