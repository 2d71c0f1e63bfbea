//! Verifies or applies a saved callback.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use crate::output::text::{Foreign, events, money, or_none, plain};
use crate::session::Session;
use crate::stack::command::command;

/// The tool reads at most this number of bytes of a file. Valid callbacks are smaller: they have at most 256 KiB.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Verifies a saved callback, or applies it.
#[derive(Args)]
pub struct CallbackArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Says whether a saved callback is valid and what it would change, or why it is not valid.
    Verify {
        /// The file with the body, exactly as it was received. Use `-` for standard input.
        file: PathBuf,
    },
    /// Applies a saved callback, as if the platform had sent it again.
    Apply {
        /// The file with the body, exactly as it was received. Use `-` for standard input, and add `--yes`.
        file: PathBuf,
        /// Your name, for the log.
        #[arg(long)]
        by: String,
    },
}

/// The answer of `CommandFunction`.
#[derive(Deserialize)]
struct Reply {
    /// The same word as in the log of the callback function.
    outcome: Foreign,
    /// Which key of the project signed the callback: `current` or `previous`.
    key: Option<Foreign>,
    project_id: Option<u64>,
    payment_id: Option<Foreign>,
    /// Whether the callback is only a hint.
    hint: bool,
    platform_status: Option<Foreign>,
    operations: Vec<Operation>,
    /// The payment's status after the callback. With `verify`, the status that the payment would have.
    status: Option<Foreign>,
    events: Vec<Foreign>,
    /// Why the callback is not valid. `None` if the callback is valid.
    why: Option<Explanation>,
}

#[derive(Deserialize)]
struct Operation {
    operation_id: Option<Foreign>,
    #[serde(rename = "type")]
    kind: Foreign,
    status: Foreign,
    amount: Option<u64>,
    currency: Option<String>,
}

#[derive(Deserialize)]
struct Explanation {
    detail: Foreign,
    observations: Vec<Foreign>,
}

struct Text<'a> {
    reply: &'a Reply,
    outcome_label: &'a str,
}

impl CallbackArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let (event, outcome_label) = match &self.action {
            Action::Verify { file } => {
                let body = read(file)?;
                let event = json!({ "command": "verify_callback", "body": body });
                (event, "outcome if applied")
            }
            Action::Apply { file, by } => {
                let body = read(file)?;
                let name = plain(&file.to_string_lossy());
                session.confirm.ask(&format!("Apply {name}?"))?;
                let event = json!({ "command": "apply_callback", "body": body, "by": by });
                (event, "outcome")
            }
        };
        let done = command::<Reply>(session.stack, &event).await?;
        let text = Text {
            reply: &done.result,
            outcome_label,
        };
        session.write(&done.json, text)?;
        match &done.result.why {
            Some(why) => bail!("the callback does not verify: {}", why.detail),
            None => Ok(()),
        }
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut body = Vec::new();
    let read = match file == Path::new("-") {
        true => io::stdin().lock().take(MAX_BYTES).read_to_end(&mut body),
        false => {
            std::fs::File::open(file).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut body))
        }
    };
    read.with_context(|| format!("{} cannot be read", file.display()))?;
    // The function receives the body inside JSON, so the body must be UTF-8. `POST /callbacks` would refuse other
    // bodies with 400.
    String::from_utf8(body).context("the callback does not verify: it is not UTF-8")
}

impl Display for Text<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let reply = self.reply;
        if let Some(why) = &reply.why {
            return why
                .observations
                .iter()
                .try_for_each(|observation| writeln!(to, "{observation}"));
        }
        let project = reply
            .project_id
            .map_or("none".to_owned(), |id| id.to_string());
        writeln!(to, "verified with key: {}", or_none(reply.key.as_ref()))?;
        writeln!(to, "project: {project}")?;
        writeln!(to, "payment: {}", or_none(reply.payment_id.as_ref()))?;
        writeln!(
            to,
            "payment.status: {}",
            or_none(reply.platform_status.as_ref())
        )?;
        for operation in &reply.operations {
            writeln!(to, "{operation}")?;
        }
        if reply.hint {
            let why = "the callback is only a hint (it can be read in two ways, has a wrong form, or is too large \
                to store), so it is not applied; the platform is polled instead";
            writeln!(to, "{why}")?;
        }
        writeln!(to, "{}: {}", self.outcome_label, reply.outcome)?;
        writeln!(to, "status: {}", or_none(reply.status.as_ref()))?;
        writeln!(to, "events: {}", events(&reply.events))
    }
}

impl Display for Operation {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let id = self.operation_id.as_ref();
        let id = id.map_or("without an id".to_owned(), ToString::to_string);
        let (kind, status) = (&self.kind, &self.status);
        write!(to, "operation {id}: {kind} {status}")?;
        match self.amount.zip(self.currency.as_deref()) {
            Some((amount, currency)) => write!(to, ", {}", money(amount, currency)),
            None => Ok(()),
        }
    }
}
