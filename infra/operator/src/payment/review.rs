//! Releases or rejects the money of a payment in quarantine.

use std::fmt::{self, Display, Formatter, Write};

use anyhow::bail;
use clap::Args;
use payments::Timestamp;
use payments::model::Payment;
use serde::Deserialize;
use serde_json::json;

use super::args::PaymentArgs;
use super::quarantine::Quarantine;
use crate::output::text::{Foreign, events, money, plain};
use crate::session::Session;
use crate::stack::command::command;

#[derive(Args)]
pub struct ReviewArgs {
    #[command(flatten)]
    payment: PaymentArgs,
    /// Your name, for the log.
    #[arg(long)]
    by: String,
}

/// An operator's decision.
#[derive(Clone, Copy)]
pub enum Verdict {
    /// The money counts as paid.
    Release,
    /// The rest of the received money is refunded.
    Reject,
}

/// The answer of `CommandFunction`.
#[derive(Deserialize)]
struct Reply {
    after: Amounts,
    /// The refund that the rejection sent. `None` after a release, or if nothing was left to refund.
    refund: Option<Refund>,
    events: Vec<Foreign>,
    /// Why the events are not published yet. `None` if they are published.
    not_published: Option<Foreign>,
}

#[derive(Deserialize)]
struct Amounts {
    status: Foreign,
}

#[derive(Deserialize)]
struct Refund {
    refund_id: Option<Foreign>,
    amount: u64,
    status: Foreign,
    /// The platform's code, if the refund was declined.
    code: Option<Foreign>,
}

struct Text<'a> {
    reply: &'a Reply,
    verdict: Verdict,
}

impl ReviewArgs {
    pub async fn run(&self, verdict: Verdict, mut session: Session<'_>) -> anyhow::Result<()> {
        let payment = self.payment.load(session.stack).await?.payment;
        let items = payment.quarantine();
        if items.is_empty() {
            bail!("the payment is not in quarantine");
        }
        let mut reasons = format!("{} is in quarantine:\n", plain(&self.payment.payment_id));
        write!(reasons, "{}", Quarantine::of(&payment, Timestamp::now())?)?;
        let (name, question) = match verdict {
            Verdict::Release => ("release", "Accept its money as paid?".to_owned()),
            Verdict::Reject => ("reject", rejection_question(&payment)),
        };
        session.confirm.ask(&format!("{reasons}{question}"))?;
        let event = json!({
            "command": name,
            "project_id": self.payment.project,
            "payment_id": self.payment.payment_id,
            "by": self.by,
            "items": items,
        });
        let mut done = command::<Reply>(session.stack, &event).await?;
        if let Some(json) = done.json.as_object_mut() {
            json.insert("items".to_owned(), json!(items));
        }
        let text = Text {
            reply: &done.result,
            verdict,
        };
        session.write(&done.json, format_args!("{reasons}{text}"))
    }
}

/// Returns the question about a rejection, with the amount of the refund. `CommandFunction` can refund another amount
/// if the payment changes before the function runs.
fn rejection_question(payment: &Payment) -> String {
    let currency = payment.currency().unwrap_or("EUR");
    let received = money(payment.paid_amount(), currency);
    let (refundable, pending) = (payment.refundable_amount(), payment.pending_refund_amount());
    let pending = match pending {
        0 => String::new(),
        pending => format!("{} is already being refunded. ", money(pending, currency)),
    };
    match refundable {
        0 if payment.paid_amount() == 0 => {
            "No money was received in the currency of the order, so nothing is refunded. Refund money in another \
             currency by hand, in the platform's Dashboard. Reject the payment?"
                .to_owned()
        }
        0 => format!("{received} was received. {pending}Nothing is left to refund. Reject the payment?"),
        refundable => {
            let refundable = money(refundable, currency);
            format!("{received} was received. {pending}Refund {refundable}?")
        }
    }
}

impl Display for Text<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let Reply {
            after,
            refund,
            events: types,
            not_published,
        } = self.reply;
        let status = after.status.spaced();
        match self.verdict {
            Verdict::Release => writeln!(to, "released: {status}")?,
            Verdict::Reject => {
                writeln!(to, "rejected: {status}")?;
                match refund {
                    Some(refund) => writeln!(to, "{refund}")?,
                    None => writeln!(to, "no refund was sent")?,
                }
            }
        }
        match not_published {
            Some(why) => {
                writeln!(
                    to,
                    "events: not published yet; the sweeper retries every minute: {why}"
                )
            }
            None => writeln!(to, "events: {}", events(types)),
        }
    }
}

impl Display for Refund {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let id = self.refund_id.as_ref();
        let id = id.map_or("without an id".to_owned(), ToString::to_string);
        let (amount, status) = (money(self.amount, "EUR"), &self.status);
        write!(to, "refund {id} of {amount}: {status}")?;
        if let Some(code) = &self.code {
            write!(to, " (code {code})")?;
        }
        match status.raw() {
            "pending" => write!(
                to,
                ": the platform accepted the refund; status polls follow until the refund ends"
            ),
            "unknown" => write!(
                to,
                ": the platform's answer is unclear; status polls follow until the refund ends"
            ),
            "declined" => write!(
                to,
                ": the money was not refunded. Remove the cause and reject again, or refund in the platform's Dashboard"
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refund(status: &str, code: Option<&str>) -> String {
        let refund = Refund {
            refund_id: Some("rejected-1".into()),
            amount: 1234,
            status: status.into(),
            code: code.map(Foreign::from),
        };
        refund.to_string()
    }

    #[test]
    fn the_refund_of_a_rejection_is_shown_with_its_amount_status_and_code() {
        assert_eq!(
            refund("pending", None),
            "refund rejected-1 of 12.34 EUR: pending: the platform accepted the refund; status polls follow until the refund ends"
        );
        let declined = refund("declined", Some("3283"));
        assert!(declined.starts_with("refund rejected-1 of 12.34 EUR: declined (code 3283): "));
        assert_eq!(
            refund("succeeded", None),
            "refund rejected-1 of 12.34 EUR: succeeded"
        );
    }

    #[test]
    fn a_rejection_that_sends_no_refund_says_so() {
        let reply = Reply {
            after: Amounts {
                status: "quarantined".into(),
            },
            refund: None,
            events: Vec::new(),
            not_published: None,
        };
        let text = Text {
            reply: &reply,
            verdict: Verdict::Reject,
        };
        let expected = "rejected: quarantined\nno refund was sent\nevents: none\n";
        assert_eq!(text.to_string(), expected);
    }
}
