//! An operator's decision about quarantined money.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;

use anyhow::bail;
use clap::Args;
use payments::Timestamp;
use payments::model::{Payment, QuarantineItem};
use serde_json::{Value, json};

use crate::command::command;
use crate::payment::PaymentArgs;
use crate::quarantine::Quarantine;
use crate::session::Session;
use crate::text::{events, money, plain, word};

/// Decides about quarantined money. Shows first what speaks against the money; the decision settles
/// exactly that.
#[derive(Args)]
pub struct ReviewArgs {
    #[command(flatten)]
    payment: PaymentArgs,
    /// Who decides.
    #[arg(long)]
    by: String,
}

/// What can be decided.
#[derive(Clone, Copy)]
pub enum Verdict {
    /// The money is taken as paid.
    Release,
    /// The money that came goes back.
    Reject,
}

impl ReviewArgs {
    pub async fn run(&self, verdict: Verdict, session: Session<'_>) -> anyhow::Result<()> {
        let payment = self.payment.load(session.account).await?.payment;
        let items = payment.quarantine();
        if items.is_empty() {
            bail!("the payment is not in quarantine");
        }
        let shown = self.shown(&payment)?;
        let (name, question) = match verdict {
            Verdict::Release => ("release", "Take its money as paid?".to_owned()),
            Verdict::Reject => ("reject", going_back(&payment)),
        };
        session.confirm.ask(&format!("{shown}{question}"))?;
        let event = json!({
            "command": name,
            "project_id": self.payment.project,
            "payment_id": self.payment.payment_id,
            "by": self.by,
            "items": items,
        });
        let mut done = command(session.account, &event).await?;
        match session.json {
            true => {
                add_items(&mut done, &items);
                writeln!(session.out, "{done}")?;
            }
            false => {
                write!(session.out, "{shown}")?;
                write_outcome(&done, verdict, session.out)?;
            }
        }
        Ok(())
    }

    fn shown(&self, payment: &Payment) -> anyhow::Result<String> {
        let mut shown = format!("{} is in quarantine:\n", plain(&self.payment.payment_id));
        write!(shown, "{}", Quarantine::of(payment, Timestamp::now())?)?;
        Ok(shown)
    }
}

fn add_items(done: &mut Value, items: &BTreeSet<QuarantineItem>) {
    if let Some(done) = done.as_object_mut() {
        done.insert("items".to_owned(), json!(items));
    }
}

/// What a rejection gives back, as a question. The function decides by the payment as it is then.
fn going_back(payment: &Payment) -> String {
    let currency = payment.currency().unwrap_or("EUR");
    let came = money(payment.paid_amount(), currency);
    let (left, pending) = (payment.refundable_amount(), payment.pending_refund_amount());
    let on_its_way = match pending {
        0 => String::new(),
        pending => format!("{} is on its way back already. ", money(pending, currency)),
    };
    match left {
        0 if payment.paid_amount() == 0 => {
            "No money came in the currency of the order, so nothing goes back from here: what came in \
             another currency goes back by hand, in the platform's Dashboard. Reject it?"
                .to_owned()
        }
        0 => format!("{came} came. {on_its_way}Nothing is left to give back. Reject it?"),
        left => {
            let left = money(left, currency);
            format!("{came} came. {on_its_way}Give {left} back?")
        }
    }
}

fn write_outcome(done: &Value, verdict: Verdict, out: &mut dyn Write) -> anyhow::Result<()> {
    let after = done.get("after").unwrap_or(&Value::Null);
    let status = word(after, "status", "-").replace('_', " ");
    let decided = match verdict {
        Verdict::Release => "released",
        Verdict::Reject => "rejected",
    };
    writeln!(out, "{decided}: {status}")?;
    if let Verdict::Reject = verdict {
        writeln!(out, "{}", refund(done.get("refund")))?;
    }
    writeln!(out, "sent: {}", events(done, "events"))?;
    if done.get("not_published").is_some_and(Value::is_string) {
        let why = word(done, "not_published", "");
        writeln!(out, "not sent yet, and sent within a minute: {why}")?;
    }
    Ok(())
}

/// What became of the refund of a rejection.
fn refund(refund: Option<&Value>) -> String {
    let Some(refund) = refund.filter(|refund| refund.is_object()) else {
        return "no refund was sent".to_owned();
    };
    let amount = refund.get("amount").and_then(Value::as_u64);
    let amount = money(amount.unwrap_or_default(), "EUR");
    let (id, status) = (word(refund, "refund_id", "-"), word(refund, "status", "-"));
    let code = match word(refund, "code", "") {
        code if code.is_empty() => code,
        code => format!(" (code {code})"),
    };
    let what_next = match status.as_str() {
        "pending" => ": the platform took it, and its end is polled",
        "unknown" => ": no clear answer came, and it is polled",
        "declined" => {
            ": the money stays here. Reject again once the cause is removed, or refund it in \
                       the platform's Dashboard"
        }
        _ => "",
    };
    format!("refund {id} of {amount}: {status}{code}{what_next}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_of_a_rejection_names_the_refund_its_status_and_its_code() {
        let of = |value: Value| refund(Some(&value));
        let pending = of(json!({
            "refund_id": "rejected-1", "amount": 1234, "status": "pending", "code": null,
        }));
        assert_eq!(
            pending,
            "refund rejected-1 of 12.34 EUR: pending: the platform took it, and its end is polled"
        );
        let declined = of(json!({
            "refund_id": "rejected-1", "amount": 1234, "status": "declined", "code": "3283",
        }));
        assert!(declined.starts_with("refund rejected-1 of 12.34 EUR: declined (code 3283): "));
        assert_eq!(of(Value::Null), "no refund was sent");
        assert_eq!(refund(None), "no refund was sent");
    }
}
