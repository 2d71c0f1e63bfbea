//! Publishes events of a payment again.

use std::fmt::{self, Display, Formatter};

use anyhow::bail;
use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::args::PaymentArgs;
use crate::output::text::{Foreign, plain, ranges};
use crate::session::Session;
use crate::stack::command::command;

/// Publishes events of a payment again, to each queue that subscribes to their types.
///
/// The events keep their ids and bodies, so consumers that store event ids ignore the repeats. The table stores events
/// for 90 days. One call publishes at most 250 events again.
#[derive(Args)]
pub struct RepublishArgs {
    #[command(flatten)]
    payment: PaymentArgs,
    /// The sequence number of the first event; 1 by default.
    #[arg(long, value_name = "NUMBER")]
    from: Option<u64>,
    /// The sequence number of the last event; by default the number of the payment's last event.
    #[arg(long, value_name = "NUMBER")]
    to: Option<u64>,
    /// Your name, for the log.
    #[arg(long)]
    by: String,
}

/// The answer of `CommandFunction`.
#[derive(Deserialize)]
struct Reply {
    /// The types of the events that were still in the outbox.
    published: Vec<Foreign>,
    /// The events that had been published before and were published again.
    repeated: Vec<Repeated>,
    /// The sequence numbers of the events that are no longer stored, or that cannot be read.
    gone: Vec<u64>,
}

#[derive(Deserialize)]
struct Repeated {
    sequence: u64,
    #[serde(rename = "type")]
    kind: Foreign,
}

impl RepublishArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let id = plain(&self.payment.payment_id);
        session
            .confirm
            .ask(&format!("Publish events of {id} again?"))?;
        let event = json!({
            "command": "republish",
            "project_id": self.payment.project,
            "payment_id": self.payment.payment_id,
            "from": self.from,
            "to": self.to,
            "by": self.by,
        });
        let done = command::<Reply>(session.stack, &event).await?;
        session.write(&done.json, &done.result)?;
        if done.result.repeated.is_empty() && done.result.published.is_empty() {
            bail!("nothing was published: none of these events is still stored and readable");
        }
        Ok(())
    }
}

impl Display for Reply {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for kind in &self.published {
            writeln!(to, "published for the first time: {kind}")?;
        }
        for Repeated { sequence, kind } in &self.repeated {
            writeln!(to, "published again: {sequence} {kind}")?;
        }
        if !self.gone.is_empty() {
            let gone = ranges(self.gone.iter().copied());
            writeln!(to, "no longer stored, or not readable: {gone}")?;
        }
        Ok(())
    }
}
