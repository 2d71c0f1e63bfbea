//! A status request that is sent now.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use crate::command::command;
use crate::payment::PaymentArgs;
use crate::session::Session;
use crate::text::{events, plain, word};

/// Polls the platform about a payment now, whatever the schedule says, and takes in its answer.
///
/// A payment that is final or overdue is polled as well, and so is one that is not known here.
#[derive(Args)]
pub struct ResyncArgs {
    #[command(flatten)]
    payment: PaymentArgs,
}

impl ResyncArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let id = plain(&self.payment.payment_id);
        session.confirm.ask(&format!(
            "Poll the platform about {id} and take in its answer?"
        ))?;
        let event = json!({
            "command": "resync",
            "project_id": self.payment.project,
            "payment_id": self.payment.payment_id,
        });
        let done = command(session.account, &event).await?;
        match session.json {
            true => writeln!(session.out, "{done}")?,
            false => write(&done, session.out)?,
        }
        Ok(())
    }
}

fn write(done: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let platform = match done.get("platform").and_then(Value::as_str) {
        Some("operations") => "the platform has operations of it",
        Some("nothing") => "the platform knows nothing of it",
        _ => "the platform's answer says nothing about it",
    };
    writeln!(out, "{platform}")?;
    let status = |name| {
        let payment = done.get(name).unwrap_or(&Value::Null);
        word(payment, "status", "not known here").replace('_', " ")
    };
    let (before, after) = (status("before"), status("after"));
    match done.get("before") == done.get("after") {
        true => writeln!(out, "nothing has changed: {after}")?,
        false => writeln!(out, "before: {before}; now: {after}")?,
    }
    writeln!(out, "sent: {}", events(done, "events"))?;
    Ok(())
}
