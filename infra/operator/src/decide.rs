//! An operator's word about doubted money.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::bail;
use clap::Args;
use payments::model::Doubt;
use serde_json::{Value, json};

use crate::command::command;
use crate::history::of_doubt;
use crate::model::PaymentArgs;
use crate::session::Session;
use crate::text::{events, plain, word};

/// What is said about doubts; the doubts are shown first, and nothing else is settled.
#[derive(Args)]
pub struct DecideArgs {
    #[command(flatten)]
    payment: PaymentArgs,
    /// Who says so.
    #[arg(long)]
    by: String,
}

/// What can be said about doubts.
#[derive(Clone, Copy)]
pub enum Verdict {
    /// The money is taken as paid.
    Release,
    /// It goes back.
    Reject,
}

impl DecideArgs {
    pub async fn run(&self, verdict: Verdict, session: Session<'_>) -> anyhow::Result<()> {
        let doubts = self.payment.load(session.account).await?.payment.doubts();
        if doubts.is_empty() {
            bail!("nothing about its money is doubted");
        }
        let (name, question) = match verdict {
            Verdict::Release => ("release", "Take its money as paid?"),
            Verdict::Reject => ("reject", "Give its money back?"),
        };
        session
            .confirm
            .ask(&format!("{}{question}", self.told(&doubts)))?;
        let event = json!({
            "command": name,
            "project_id": self.payment.project,
            "payment_id": self.payment.payment_id,
            "by": self.by,
            "doubts": doubts,
        });
        let mut done = command(session.account, &event).await?;
        if let Some(done) = done.as_object_mut() {
            done.insert("doubts".to_owned(), json!(doubts));
        }
        match session.json {
            true => writeln!(session.out, "{done}")?,
            false => {
                write!(session.out, "{}", self.told(&doubts))?;
                tell(&done, verdict, session.out)?;
            }
        }
        Ok(())
    }

    fn told(&self, doubts: &BTreeSet<Doubt>) -> String {
        let id = plain(&self.payment.payment_id);
        let doubts = doubts
            .iter()
            .map(|doubt| format!("    {}\n", of_doubt(doubt)));
        format!("doubts about {id}:\n{}", doubts.collect::<String>())
    }
}

fn tell(done: &Value, verdict: Verdict, out: &mut dyn Write) -> anyhow::Result<()> {
    let after = done.get("after").unwrap_or(&Value::Null);
    let status = word(after, "status", "-").replace('_', " ");
    let done_so = match verdict {
        Verdict::Release => "released",
        Verdict::Reject => "rejected",
    };
    writeln!(out, "{done_so}: {status}")?;
    writeln!(out, "sent: {}", events(done, "events"))?;
    if done.get("unsent").is_some_and(Value::is_string) {
        let why = word(done, "unsent", "");
        writeln!(out, "not sent yet, and sent within a minute: {why}")?;
    }
    Ok(())
}
