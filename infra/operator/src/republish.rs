//! Events that are sent once more.

use std::io::Write;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use crate::command::command;
use crate::payment::PaymentArgs;
use crate::session::Session;
use crate::text::{plain, ranges, word, words};

/// Sends events of a payment again, to each queue that wants them.
///
/// They have the same ids and bodies as the first time, so consumers that have them drop them. Events
/// are kept for 90 days.
#[derive(Args)]
pub struct RepublishArgs {
    #[command(flatten)]
    payment: PaymentArgs,
    /// The first event's number.
    #[arg(long, value_name = "NUMBER")]
    from: Option<u64>,
    /// The last event's number.
    #[arg(long, value_name = "NUMBER")]
    to: Option<u64>,
    /// Who says so.
    #[arg(long)]
    by: String,
}

impl RepublishArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let id = plain(&self.payment.payment_id);
        session
            .confirm
            .ask(&format!("Send events of {id} again?"))?;
        let event = json!({
            "command": "republish",
            "project_id": self.payment.project,
            "payment_id": self.payment.payment_id,
            "from": self.from,
            "to": self.to,
            "by": self.by,
        });
        let done = command(session.account, &event).await?;
        match session.json {
            true => writeln!(session.out, "{done}")?,
            false => tell(&done, session.out)?,
        }
        let is_none = |name: &str| list(&done, name).is_empty();
        if is_none("repeated") && is_none("published") {
            bail!("nothing was sent: none of these events is kept any more");
        }
        Ok(())
    }
}

fn list<'a>(done: &'a Value, name: &str) -> &'a [Value] {
    let list = done.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn tell(done: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    for kind in words(done, "published") {
        writeln!(out, "sent for the first time: {kind}")?;
    }
    for event in list(done, "repeated") {
        let number = event.get("sequence").and_then(Value::as_u64);
        let kind = word(event, "type", "-");
        writeln!(out, "sent again: {} {kind}", number.unwrap_or_default())?;
    }
    let gone = list(done, "gone").iter().filter_map(Value::as_u64);
    let gone = ranges(gone);
    if !gone.is_empty() {
        writeln!(out, "not kept any more: {gone}")?;
    }
    Ok(())
}
