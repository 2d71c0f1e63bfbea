//! An operator's desk: the binary, and what it has said.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::ensure;
use sandbox::{Options, Ready, Sandbox};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What the binary has said.
pub struct Said {
    pub out: String,
    pub told: String,
    pub code: Option<i32>,
}

pub struct Desk {
    pub sandbox: Sandbox,
    ready_file: PathBuf,
    /// What differs from run to run, and what stands for it in snapshots.
    differs: RefCell<Vec<(String, String)>>,
    /// Never to be said, except where it is asked for.
    secrets: RefCell<Vec<String>>,
    all_said: RefCell<String>,
}

impl Desk {
    pub async fn open() -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options::any_ports()).await?;
        let ready_file = sandbox.file("ready.json");
        std::fs::write(&ready_file, serde_json::to_vec(sandbox.ready())?)?;
        let shop = sandbox.ready().shop.clone();
        let secrets = [
            &sandbox.ready().project_key,
            &sandbox.ready().storefront_key,
        ];
        Ok(Self {
            secrets: RefCell::new(secrets.into_iter().cloned().collect()),
            differs: RefCell::new(vec![(shop, "http://shop".to_owned())]),
            all_said: RefCell::default(),
            sandbox,
            ready_file,
        })
    }

    pub fn ready(&self) -> &Ready {
        self.sandbox.ready()
    }

    /// The binary, about the sandbox.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
        command.arg("--sandbox").args(args);
        command.env("SANDBOX_READY", &self.ready_file);
        command.kill_on_drop(true);
        command
    }

    /// Runs it with an input.
    pub async fn run(&self, args: &[&str], input: &str) -> anyhow::Result<Said> {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // Who needs no input may have ended before it comes.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = child.wait_with_output().await?;
        let said = Said {
            out: String::from_utf8(output.stdout)?,
            told: String::from_utf8(output.stderr)?,
            code: output.status.code(),
        };
        let mut all_said = self.all_said.borrow_mut();
        all_said.push_str(&said.out);
        all_said.push_str(&said.told);
        Ok(said)
    }

    /// Runs it, and gives what it has written if all went well.
    pub async fn done(&self, args: &[&str], input: &str) -> anyhow::Result<String> {
        let said = self.run(args, input).await?;
        ensure!(said.code == Some(0), "{args:?}: {}", said.told);
        Ok(said.out)
    }

    /// Runs it, and holds what it has written against what was kept under a name.
    pub async fn kept(&self, name: &str, args: &[&str], input: &str) -> anyhow::Result<()> {
        let out = self.done(args, input).await?;
        self.keep(name, &out)
    }

    /// Runs it, and expects that it is refused in one sentence with these words.
    pub async fn refused(&self, args: &[&str], input: &str, why: &str) -> anyhow::Result<()> {
        let said = self.run(args, input).await?;
        let mut told = said.told.trim_end().lines();
        let last = told.next_back().unwrap_or_default();
        // Of wrong arguments the command line itself tells, at length.
        let is_told = match said.code {
            Some(2) => said.told.contains(why),
            _ => last.contains(why) && told.all(|line| line.ends_with("[y/N] ")),
        };
        ensure!(
            said.code != Some(0) && said.out.is_empty() && is_told,
            "{args:?}: {why}: {} {}",
            said.out,
            said.told
        );
        Ok(())
    }

    /// Holds a text against what was kept under a name.
    pub fn keep(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let mut text = snapshots::without_timestamps(text);
        for (value, stands_for_it) in self.differs.borrow().iter() {
            text = text.replace(value, stands_for_it);
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
        snapshots::check(&folder.join(name), &text)
    }

    /// Something that differs from run to run.
    pub fn differs(&self, value: &str, stands_for_it: &str) {
        let pair = (value.to_owned(), stands_for_it.to_owned());
        self.differs.borrow_mut().push(pair);
    }

    /// A key that was made and shown; from now on it is never said again.
    pub fn shown(&self, key: &str) {
        let mut all_said = self.all_said.borrow_mut();
        *all_said = all_said.replacen(key, "", 1);
        self.secrets.borrow_mut().push(key.to_owned());
    }

    /// Something that is never to be said.
    pub fn secret(&self, key: &str) {
        self.secrets.borrow_mut().push(key.to_owned());
    }

    pub async fn close(self) -> anyhow::Result<()> {
        let all_said = self.all_said.into_inner();
        for secret in self.secrets.into_inner() {
            ensure!(!all_said.contains(&secret), "{secret} was said");
        }
        self.sandbox.stop().await;
        Ok(())
    }
}
