//! Runs the tool's binary on a sandbox.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::ensure;
use e2e::system::System;
use ecommpay::{ProjectKey, signature};
use sandbox::{Options, Ready};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Personal data in each order that [`System`] creates: last name, start of the IP address, and customer id.
const PERSONAL: [&str; 3] = ["Janssens", "192.0.2.", "c-42"];

/// An operator with the tool and a running sandbox.
pub struct Operator {
    pub system: System,
    ready_file: PathBuf,
    /// Values that differ in each test run, each with its replacement in snapshots.
    replacements: RefCell<Vec<(String, String)>>,
    /// Texts that the tool must not write.
    secrets: RefCell<Vec<String>>,
    written: RefCell<String>,
}

pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Operator {
    pub async fn start() -> anyhow::Result<Self> {
        let system = System::start(Options::any_ports()).await?;
        let ready = system.sandbox.ready();
        let ready_file = system.sandbox.file("ready.json");
        std::fs::write(&ready_file, serde_json::to_vec(ready)?)?;
        let mut secrets = PERSONAL.map(str::to_owned).to_vec();
        secrets.extend([ready.project_key.clone(), ready.storefront_key.clone()]);
        Ok(Self {
            replacements: RefCell::new(vec![(ready.shop.clone(), "http://shop".to_owned())]),
            secrets: RefCell::new(secrets),
            written: RefCell::default(),
            ready_file,
            system,
        })
    }

    pub fn ready(&self) -> &Ready {
        self.system.sandbox.ready()
    }

    /// Adds resources to the file that the tool reads.
    pub fn add_resources(&self, added: &[(&str, &str)]) -> anyhow::Result<()> {
        let mut resources: Value = serde_json::from_slice(&std::fs::read(&self.ready_file)?)?;
        for (name, value) in added {
            resources[name] = (*value).into();
        }
        Ok(std::fs::write(
            &self.ready_file,
            serde_json::to_vec(&resources)?,
        )?)
    }

    /// Returns a command that runs the tool with `--sandbox` and these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
        command.arg("--sandbox").args(args);
        command.env("SANDBOX_READY", &self.ready_file);
        command.kill_on_drop(true);
        command
    }

    pub async fn run(&self, args: &[&str], input: &str) -> anyhow::Result<Run> {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that reads no input may have ended already.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = child.wait_with_output().await?;
        let run = Run {
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
            code: output.status.code(),
        };
        let mut written = self.written.borrow_mut();
        written.push_str(&run.stdout);
        written.push_str(&run.stderr);
        Ok(run)
    }

    /// Runs a command that must succeed, and returns its standard output. With an empty `input`, the command must ask
    /// nothing, so its standard error must be empty.
    pub async fn succeeds(&self, args: &[&str], input: &str) -> anyhow::Result<String> {
        let run = self.run(args, input).await?;
        let is_quiet = !input.is_empty() || run.stderr.is_empty();
        ensure!(run.code == Some(0) && is_quiet, "{args:?}: {}", run.stderr);
        Ok(run.stdout)
    }

    /// Runs a command that must succeed, and compares its standard output with a snapshot.
    pub async fn matches(&self, snapshot: &str, args: &[&str], input: &str) -> anyhow::Result<()> {
        let out = self.succeeds(args, input).await?;
        self.check(snapshot, &out)
    }

    /// Runs a command that must fail, with an error that contains `why` and with nothing on standard output.
    pub async fn fails(&self, args: &[&str], input: &str, why: &str) -> anyhow::Result<()> {
        let out = self.fails_with_result(args, input, why).await?;
        ensure!(out.is_empty(), "{args:?}: {out}");
        Ok(())
    }

    /// Runs a command that must fail, with an error that contains `why`. Returns its standard output.
    pub async fn fails_with_result(
        &self,
        args: &[&str],
        input: &str,
        why: &str,
    ) -> anyhow::Result<String> {
        let run = self.run(args, input).await?;
        let mut lines = run.stderr.trim_end().lines();
        let last = lines.next_back().unwrap_or_default();
        let is_explained = match run.code {
            // The argument parser writes several lines about wrong arguments.
            Some(2) => run.stderr.contains(why),
            _ => last.contains(why) && lines.all(|line| line.ends_with("[y/N] ")),
        };
        ensure!(
            run.code != Some(0) && is_explained,
            "{args:?}: {} instead of {why}",
            run.stderr
        );
        Ok(run.stdout)
    }

    /// Compares a text with a snapshot.
    pub fn check(&self, snapshot: &str, text: &str) -> anyhow::Result<()> {
        let mut text = snapshots::without_timestamps(text);
        for (value, replacement) in self.replacements.borrow().iter() {
            text = text.replace(value, replacement);
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
        snapshots::check(&folder.join(snapshot), &text)
    }

    /// Replaces a value in all following snapshots.
    pub fn replace(&self, value: &str, replacement: &str) {
        let pair = (value.to_owned(), replacement.to_owned());
        self.replacements.borrow_mut().push(pair);
    }

    /// Adds a text that the tool must not write.
    pub fn add_secret(&self, secret: &str) {
        self.secrets.borrow_mut().push(secret.to_owned());
    }

    /// Adds a key that the tool has shown, and must not write a second time.
    pub fn add_shown_secret(&self, key: &str) {
        let mut written = self.written.borrow_mut();
        *written = written.replacen(key, "", 1);
        self.add_secret(key);
    }

    /// Checks that the tool wrote none of the secret texts, and stops the sandbox.
    pub async fn stop(self) -> anyhow::Result<()> {
        let written = self.written.into_inner();
        for secret in self.secrets.into_inner() {
            ensure!(!written.contains(&secret), "the tool wrote {secret}");
        }
        self.system.sandbox.stop().await;
        Ok(())
    }
}

/// Signs a callback with a key.
pub fn signed(mut message: Value, key: &str) -> anyhow::Result<Value> {
    let signature = ProjectKey::new(key)?.sign(&signature::canonical_of(&message)?);
    message["signature"] = signature.to_base64().into();
    Ok(message)
}
