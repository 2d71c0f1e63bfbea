//! Runs the two commands of the user: one starts the consumer, and the other prints its actions.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use payments::PaymentKey;
use payments::escape::for_terminal;
use serde::Deserialize;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::expected::Action;

const PAUSE: Duration = Duration::from_millis(10);
/// The checks whether a killed process group has ended.
const CHECKS: u32 = 500;

/// The process of the consumer, with its children. Dropping this value kills it.
pub struct Consumer {
    command: String,
    child: Mutex<Child>,
}

impl Consumer {
    pub fn start(command: &str) -> anyhow::Result<Self> {
        Ok(Self {
            command: command.to_owned(),
            child: Mutex::new(spawn(command)?),
        })
    }

    /// Kills the consumer with SIGKILL and starts it again.
    pub async fn kill_and_start(&self) -> anyhow::Result<()> {
        let mut child = self.child.lock().await;
        if let Some(group) = kill(&child) {
            child.wait().await?;
            // The next consumer needs the port of this one.
            for _ in 0..CHECKS {
                if killpg(group, None).is_err() {
                    break;
                }
                sleep(PAUSE).await;
            }
        }
        *child = spawn(&self.command)?;
        Ok(())
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        kill(self.child.get_mut());
    }
}

/// Starts a command in its own process group. Its output goes to standard error, because standard output has the
/// report.
fn spawn(command: &str) -> anyhow::Result<Child> {
    let output = io::stderr().as_fd().try_clone_to_owned()?;
    shell(command)
        .process_group(0)
        .stdout(output)
        .kill_on_drop(true)
        .spawn()
        .context("The consumer command cannot be started")
}

fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null());
    shell
}

/// Kills the whole process group, because the shell can have children. Returns the group; `None` if the child has ended.
fn kill(child: &Child) -> Option<Pid> {
    let group = Pid::from_raw(i32::try_from(child.id()?).ok()?);
    let _ = killpg(group, Signal::SIGKILL);
    Some(group)
}

/// The actions of each payment, in the order of time.
pub type Actions = BTreeMap<PaymentKey, Vec<Action>>;

/// Runs the state command and reads the actions that it prints.
pub async fn actions(state_command: &str) -> anyhow::Result<Actions> {
    let mut command = shell(state_command);
    let output = command.stderr(Stdio::inherit()).output().await;
    let output = output.context("The state command cannot be started")?;
    if !output.status.success() {
        bail!("The state command ended with {}", output.status);
    }
    let text = String::from_utf8(output.stdout);
    parse(&text.context("The state command prints no UTF-8")?)
}

/// A line of the state command. Other fields are ignored.
#[derive(Deserialize)]
struct Line {
    payment: String,
    action: Action,
}

fn parse(text: &str) -> anyhow::Result<Actions> {
    let mut actions = Actions::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let invalid = || {
            let (number, line) = (index + 1, for_terminal(line));
            format!(
                "Line {number} of the state command is not {{\"payment\": \"<project>/<payment id>\", \"action\": \
                 \"ship\", \"hold\" or \"take_back\"}}: {line}"
            )
        };
        let read: Line = serde_json::from_str(line).with_context(invalid)?;
        let key = PaymentKey::from_text(&read.payment).with_context(invalid)?;
        actions.entry(key).or_default().push(read.action);
    }
    Ok(actions)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_actions_of_a_payment_keep_the_order_of_the_lines() {
        let text = r#"
            {"payment": "211/A-1", "action": "ship"}
            {"payment": "211/b", "action": "hold", "at": 7}

            {"payment": "211/a-1", "action": "take_back"}"#;
        let read = parse(text).unwrap();
        let of = |key: &str| read.get(&PaymentKey::from_text(key).unwrap()).unwrap();
        assert_eq!(*of("211/a-1"), [Action::Ship, Action::TakeBack]);
        assert_eq!(*of("211/b"), [Action::Hold]);
    }

    #[test]
    fn a_line_that_is_no_action_is_refused_with_its_number() {
        for line in [
            "shipped",
            r#"{"payment": "211/a"}"#,
            r#"{"payment": "211/a", "action": "nothing"}"#,
            r#"{"payment": "a", "action": "ship"}"#,
        ] {
            let text = format!("{}\n{line}", r#"{"payment": "211/a", "action": "ship"}"#);
            let message = parse(&text).unwrap_err().to_string();
            assert!(
                message.starts_with("Line 2 of the state command"),
                "{message}"
            );
            assert!(message.ends_with(line), "{message}");
        }
    }

    #[tokio::test]
    async fn a_state_command_that_fails_is_an_error() {
        let message = actions("exit 3").await.unwrap_err().to_string();
        assert!(message.contains("exit status: 3"), "{message}");
        assert!(actions("true").await.unwrap().is_empty());
    }
}
