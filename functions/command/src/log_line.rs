//! Makes the log line of a command, with the metrics of the events that the command published.

use payments::events::{EventKind, metrics};
use payments::log::Line;
use payments::service::apply::Applied;
use payments::service::review::ReviewError;

use crate::command::Command;
use crate::reply::{Done, NotDone, Reply};

/// The result of a command: the reply, and further fields of the log line.
#[derive(Debug)]
pub struct CommandResult {
    /// The reply.
    pub reply: Reply,
    /// The payment that the verified callback of `apply_callback` names; otherwise `None`. Any other logged command
    /// names its payment itself ([`Command::payment`]).
    pub payment: Option<String>,
    /// The events that were published for the first time.
    pub published: Vec<EventKind>,
}

impl From<Reply> for CommandResult {
    /// Creates a result without a payment and without events.
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            payment: None,
            published: Vec::new(),
        }
    }
}

impl From<NotDone> for CommandResult {
    fn from(not_done: NotDone) -> Self {
        Reply::from(not_done).into()
    }
}

impl CommandResult {
    /// Creates the result of a release.
    pub fn of_release(released: &Result<Applied, ReviewError>) -> Self {
        Self {
            published: published(released),
            ..Reply::of_release(released).into()
        }
    }

    /// Creates the result of a rejection.
    pub fn of_rejection(rejected: &Result<Applied, ReviewError>) -> Self {
        Self {
            published: published(rejected),
            ..Reply::of_rejection(rejected).into()
        }
    }

    /// Creates the log line of the command that has this result.
    pub fn log_line(&self, command: &Command) -> Line {
        let line = match &self.reply {
            Reply::Done(Done::Callback(done)) if done.why.is_some() => Line::warn("command"),
            Reply::Done(_) => Line::info("command"),
            Reply::Refused(_) => Line::warn("command"),
            Reply::Failed(_) => Line::error("command"),
        };
        let named = command.payment().map(|key| key.to_string());
        let payment = named.or_else(|| self.payment.clone());
        let mut line = line
            .with("command", command.name())
            .with("payment", payment)
            .with("by", command.by())
            .with("outcome", self.reply.outcome());
        if let Reply::Failed(problem) = &self.reply {
            line = line.with("error", &problem.detail);
        }
        line.with_metrics(&[], &metrics::metrics(&self.published))
    }
}

fn published(reviewed: &Result<Applied, ReviewError>) -> Vec<EventKind> {
    let applied = reviewed.as_ref().ok();
    let published = applied.and_then(|applied| applied.published.as_ref().ok());
    published.cloned().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ecommpay::fields::ProjectId;
    use ecommpay::json::{self, Limits};
    use ecommpay::report::Report;
    use payments::Timestamp;
    use payments::decide::{self, Fact, SignedReport};
    use payments::model::storefront::Storefront;
    use payments::model::{Payment, Verdict};
    use payments::service::checkout::CheckoutRequest;
    use payments::service::outbox::republish::{RepublishError, Republished};
    use serde_json::{Value, json};

    use super::*;

    fn republish() -> Command {
        let event = json!({
            "command": "republish", "project_id": 211, "payment_id": "Order-1", "by": "anna",
        });
        Command::read(&event).unwrap()
    }

    fn written(result: &CommandResult) -> Value {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let line = result.log_line(&republish()).at(now);
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn the_line_of_a_command_has_its_operator_payment_and_outcome() {
        let republished = Republished {
            published: vec![EventKind::PaymentSucceeded],
            repeated: vec![(1, EventKind::PaymentCreated)],
            gone: Vec::new(),
        };
        let result = CommandResult {
            published: republished.published.clone(),
            ..Reply::of_republish(Ok(republished)).into()
        };
        let mut line = written(&result);
        assert_eq!(line["paid"], 1);
        line.as_object_mut().unwrap().remove("_aws");
        let expected = json!({
            "level": "INFO", "message": "command", "command": "republish",
            "payment": "211/order-1", "by": "anna", "outcome": "done", "paid": 1,
        });
        assert_eq!(line, expected);
        let done = json!({ "done": {
            "published": ["payment.succeeded"],
            "repeated": [{ "sequence": 1, "type": "payment.created" }],
            "gone": [],
        }});
        assert_eq!(json!(result.reply), done);
    }

    #[test]
    fn a_refusal_has_a_reason_for_programs_and_a_detail_for_people() {
        let refused = Reply::of_republish(Err(RepublishError::NoSuchEvents { last: 3 }));
        let result = CommandResult::from(refused);
        let line = written(&result);
        assert_eq!(
            (&line["level"], &line["outcome"]),
            (&json!("WARN"), &json!("no_such_events"))
        );
        let expected = json!({ "refused": {
            "reason": "no_such_events",
            "detail": "the payment has the events 1 to 3",
        }});
        assert_eq!(json!(result.reply), expected);
    }

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    /// Returns a payment of 10.00 EUR in quarantine, because 12.34 EUR arrived.
    fn quarantined() -> Payment {
        let storefront = Storefront {
            key_id: "shop".into(),
            key_hash: String::new(),
            name: "shop".into(),
            project_id: ProjectId::new(211).unwrap(),
            scopes: [].into(),
            return_origins: ["https://shop.example".into()].into(),
            payment_id_prefix: None,
        };
        let body = json!({
            "payment_id": "order-1", "amount": 1000, "currency": "EUR",
            "return_url": "https://shop.example/",
            "customer": { "id": "c", "ip_address": "192.0.2.1", "last_name": "Janssens" },
        });
        let body = body.to_string();
        let request = CheckoutRequest::read(body.as_bytes(), &storefront, NOW).unwrap();
        let create = decide::Command::Create {
            project_id: storefront.project_id,
            payment_id: &request.payment_id,
            order: &request.order,
        };
        let created = decide::execute(None, create, NOW).unwrap().unwrap();
        let sum = json!({ "amount": 1234, "currency": "EUR" });
        let body = json!({
            "project_id": 211,
            "payment": { "id": "order-1", "status": "success", "sum": sum },
            "operation": { "id": 1, "type": "sale", "status": "success", "sum_initial": sum },
        });
        let body = body.to_string();
        let message = json::parse(body.as_bytes(), Limits::CALLBACK).unwrap();
        let report = SignedReport {
            report: &Report::read(&message),
            canonical: "",
        };
        let change = decide::decide(Some(&created.payment), Fact::Callback(report), NOW);
        change.unwrap().payment
    }

    fn reviewed(payment: &Payment, verdict: Verdict) -> Result<Applied, ReviewError> {
        let review = decide::Command::Review {
            verdict,
            by: "anna",
            items: &payment.quarantine(),
        };
        let change = decide::execute(Some(payment), review, NOW)
            .unwrap()
            .unwrap();
        Ok(Applied {
            payment: change.payment,
            changed: true,
            published: Ok(change.events.iter().map(|event| event.kind).collect()),
        })
    }

    #[test]
    fn the_reply_to_a_rejection_has_its_refund() {
        let payment = quarantined();
        let result = CommandResult::of_rejection(&reviewed(&payment, Verdict::Rejected));
        assert_eq!(result.published, [EventKind::RefundPending]);
        let reply = json!(result.reply);
        let refund = &reply["done"]["refund"];
        let refund_id = refund["refund_id"].as_str().unwrap();
        assert!(refund_id.starts_with("rejected-"), "{refund_id}");
        assert_eq!(
            (&refund["amount"], &refund["status"], &refund["code"]),
            (&json!(1234), &json!("pending"), &json!(null))
        );
        assert_eq!(
            reply["done"]["after"]["quarantine"],
            json!(["amount_differs"])
        );

        let result = CommandResult::of_release(&reviewed(&payment, Verdict::Released));
        let reply = json!(result.reply);
        assert_eq!(reply["done"]["refund"], json!(null));
        assert_eq!(reply["done"]["after"]["status"], "succeeded");
    }

    #[test]
    fn a_review_that_was_not_done_is_refused_with_its_reason() {
        for (error, reason) in [
            (ReviewError::NotFound, "not_found"),
            (ReviewError::NotQuarantined, "not_quarantined"),
            (ReviewError::AlreadyRefunded, "already_refunded"),
            (ReviewError::BeingRefunded, "being_refunded"),
            (ReviewError::OtherItems, "other_items"),
            (ReviewError::NoMoney, "no_money"),
        ] {
            let reply = json!(Reply::of_rejection(&Err(error)));
            assert_eq!(reply["refused"]["reason"], reason);
        }
    }
}
