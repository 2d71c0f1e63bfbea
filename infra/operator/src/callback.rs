//! Callbacks that somebody has saved.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::command::command;
use crate::session::Session;
use crate::text::{events, money, word, words};

/// No callback is larger, by far.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Verifies a saved callback, or takes it in.
#[derive(Args)]
pub struct CallbackArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Says whether a callback verifies, and what it would change; if it does not, why.
    Verify {
        /// The body, exactly as it came; - for standard input.
        file: PathBuf,
    },
    /// Takes in a callback, as if the platform had sent it again.
    Apply {
        /// The body, exactly as it came; - for standard input, and then with --yes.
        file: PathBuf,
        /// Who says so.
        #[arg(long)]
        by: String,
    },
}

impl CallbackArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let (event, word_of) = match &self.what {
            What::Verify { file } => {
                let body = read(file)?;
                let event = json!({ "command": "verify_callback", "body": body });
                (event, "would be")
            }
            What::Apply { file, by } => {
                let body = read(file)?;
                session
                    .confirm
                    .ask(&format!("Take in {}?", file.display()))?;
                let event = json!({ "command": "apply_callback", "body": body, "by": by });
                (event, "was")
            }
        };
        let done = command(session.account, &event).await?;
        match session.json {
            true => writeln!(session.out, "{done}")?,
            false => tell(&done, word_of, session.out)?,
        }
        match done.get("why").filter(|why| !why.is_null()) {
            Some(why) => bail!("it does not verify: {}", word(why, "detail", "")),
            None => Ok(()),
        }
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut body = Vec::new();
    let read = match file == Path::new("-") {
        true => io::stdin().lock().take(LARGEST).read_to_end(&mut body),
        false => {
            std::fs::File::open(file).and_then(|file| file.take(LARGEST).read_to_end(&mut body))
        }
    };
    read.with_context(|| format!("{} cannot be read", file.display()))?;
    // So the function never sees such a one; the platform is answered 400 for it.
    String::from_utf8(body).context("it does not verify: it is not UTF-8")
}

fn tell(done: &Value, word_of: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Some(why) = done.get("why").filter(|why| !why.is_null()) {
        for hint in words(why, "hints") {
            writeln!(out, "{hint}")?;
        }
        return Ok(());
    }
    let project = done.get("project_id").and_then(Value::as_u64);
    let project = project.map_or("no project".to_owned(), |id| format!("project {id}"));
    let (key, payment) = (word(done, "key", "-"), word(done, "payment_id", "none"));
    writeln!(out, "it verifies with the {key} key of {project}")?;
    writeln!(out, "payment: {payment}")?;
    let says = word(done, "platform_status", "nothing");
    writeln!(out, "the platform says: {says}")?;
    let operations = done.get("operations").and_then(Value::as_array);
    for operation in operations.into_iter().flatten() {
        let id = word(operation, "operation_id", "without an id");
        let (kind, status) = (word(operation, "type", "-"), word(operation, "status", "-"));
        write!(out, "operation {id}: {kind} {status}")?;
        let amount = operation.get("amount").and_then(Value::as_u64);
        let currency = operation.get("currency").and_then(Value::as_str);
        match amount.zip(currency) {
            Some((amount, currency)) => writeln!(out, ", {}", money(amount, currency))?,
            None => writeln!(out)?,
        }
    }
    if done.get("hint") == Some(&json!(true)) {
        writeln!(
            out,
            "it could stand for another body, so the platform is polled instead"
        )?;
    }
    let status = word(done, "status", "none");
    writeln!(
        out,
        "it {word_of} {}: status {status}, {}",
        word(done, "outcome", "-"),
        events(done, "events")
    )?;
    Ok(())
}
