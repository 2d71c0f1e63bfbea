//! Polls the platform about a payment immediately.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::PaymentArgs;
use crate::output::text::{Foreign, events, plain};
use crate::session::Session;
use crate::stack::command::command;

/// Polls the platform about a payment immediately, and applies the answer.
///
/// The command ignores the schedule of the polls. The command also works if the payment has ended, is overdue, or is
/// not in the table.
#[derive(Args)]
pub struct ResyncArgs {
    #[command(flatten)]
    payment: PaymentArgs,
}

/// The answer of `CommandFunction`.
#[derive(Deserialize)]
struct Reply {
    /// The content of the platform's answer: `operations`, `nothing` for "not found", or `unclear`.
    platform: Foreign,
    /// The payment before the poll. `None` if the table did not have the payment.
    before: Option<Amounts>,
    /// The payment after the poll. `None` if the table still does not have the payment.
    after: Option<Amounts>,
    events: Vec<Foreign>,
}

#[derive(PartialEq, Eq, Deserialize)]
struct Amounts {
    status: Foreign,
    #[serde(flatten)]
    amounts: BTreeMap<String, Value>,
}

impl ResyncArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let id = plain(&self.payment.payment_id);
        session.confirm.ask(&format!(
            "Poll the platform about {id} and apply its answer?"
        ))?;
        let event = json!({
            "command": "resync",
            "project_id": self.payment.project,
            "payment_id": self.payment.payment_id,
        });
        let done = command::<Reply>(session.stack, &event).await?;
        session.write(&done.json, &done.result)
    }
}

impl Display for Reply {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let platform = match self.platform.raw() {
            "operations" => "the platform has operations of this payment",
            "nothing" => "the platform does not know this payment",
            _ => "the platform's answer shows neither an operation nor \"not found\"",
        };
        writeln!(to, "{platform}")?;
        let status = |payment: &Option<Amounts>| {
            let unknown = || "not in the table".to_owned();
            let status = payment
                .as_ref()
                .map(|payment| payment.status.spaced().to_string());
            status.unwrap_or_else(unknown)
        };
        let (before, after) = (status(&self.before), status(&self.after));
        match self.before == self.after {
            true => writeln!(to, "nothing changed: {after}")?,
            false => writeln!(to, "before: {before}; now: {after}")?,
        }
        writeln!(to, "events: {}", events(&self.events))
    }
}
