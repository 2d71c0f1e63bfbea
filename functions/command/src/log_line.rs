//! An answer, and the line that is kept of a command.

use payments::events::{EventKind, metrics};
use payments::log::Line;
use payments::service::commit::Applied;
use payments::service::review::ReviewError;

use crate::answer::{Answer, Done};
use crate::request::Request;

/// An answer, and what else the log is told.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The payment of a verified callback; other commands name theirs.
    pub payment: Option<String>,
    /// The events that were sent for the first time.
    pub published: Vec<EventKind>,
}

impl Answered {
    /// One without events.
    pub fn quiet(answer: Answer) -> Self {
        Self {
            answer,
            payment: None,
            published: Vec::new(),
        }
    }

    /// One of a release.
    pub fn of_release(decided: Result<Applied, ReviewError>) -> Self {
        Self {
            published: published(&decided),
            ..Self::quiet(Answer::of_release(decided))
        }
    }

    /// One of a rejection.
    pub fn of_rejection(decided: Result<Applied, ReviewError>) -> Self {
        Self {
            published: published(&decided),
            ..Self::quiet(Answer::of_rejection(decided))
        }
    }

    /// The line about a command, with the metrics of the events that were sent.
    pub fn line(&self, request: &Request) -> Line {
        let line = match &self.answer {
            Answer::Done(Done::Callback(done)) if done.why.is_some() => Line::warn("command"),
            Answer::Done(_) => Line::info("command"),
            Answer::Refused(_) => Line::warn("command"),
            Answer::Failed(_) => Line::error("command"),
        };
        let named = request.payment().map(|key| key.to_string());
        let payment = named.or_else(|| self.payment.clone());
        let mut line = line
            .with("command", request.name())
            .with("payment", payment)
            .with("by", request.by())
            .with("outcome", self.answer.outcome());
        if let Answer::Failed(problem) = &self.answer {
            line = line.with("error", &problem.detail);
        }
        line.with_metrics(&[], &metrics::metrics(&self.published))
    }
}

fn published(decided: &Result<Applied, ReviewError>) -> Vec<EventKind> {
    let applied = decided.as_ref().ok();
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
    use payments::decide::{self, Command, Fact, SignedReport};
    use payments::model::storefront::Storefront;
    use payments::model::{Payment, Verdict};
    use payments::service::checkout::CheckoutRequest;
    use payments::service::outbox::republish::{RepublishError, Republished};
    use serde_json::{Value, json};

    use super::*;

    fn request() -> Request {
        let event = json!({
            "command": "republish", "project_id": 211, "payment_id": "Order-1", "by": "anna",
        });
        Request::read(&event).unwrap()
    }

    fn written(answered: &Answered) -> Value {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let line = answered.line(&request()).at(now);
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_command_leaves_one_line_with_who_gave_it() {
        let republished = Republished {
            published: vec![EventKind::PaymentSucceeded],
            repeated: vec![(1, EventKind::PaymentCreated)],
            gone: Vec::new(),
        };
        let answered = Answered {
            published: republished.published.clone(),
            ..Answered::quiet(Answer::of_republish(Ok(republished)))
        };
        let mut line = written(&answered);
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
        assert_eq!(json!(answered.answer), done);
    }

    #[test]
    fn a_refusal_is_an_answer_with_a_sentence() {
        let refused = Answer::of_republish(Err(RepublishError::NoSuchEvents { last: 3 }));
        let answered = Answered::quiet(refused);
        let line = written(&answered);
        assert_eq!(
            (&line["level"], &line["outcome"]),
            (&json!("WARN"), &json!("no_such_events"))
        );
        let expected = json!({ "refused": {
            "reason": "no_such_events",
            "detail": "the payment has the events 1 to 3",
        }});
        assert_eq!(json!(answered.answer), expected);
    }

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    /// A payment of 10.00 EUR of which 12.34 EUR came.
    fn quarantined() -> Payment {
        let storefront = Storefront {
            key_id: "shop".into(),
            key_hash: String::new(),
            name: "shop".into(),
            project_id: ProjectId::new(211).unwrap(),
            scopes: [].into(),
            return_origins: ["https://shop.example".into()].into(),
        };
        let body = json!({
            "payment_id": "order-1", "amount": 1000, "currency": "EUR",
            "return_url": "https://shop.example/",
            "customer": { "id": "c", "ip_address": "192.0.2.1", "last_name": "Janssens" },
        });
        let body = body.to_string();
        let request = CheckoutRequest::read(body.as_bytes(), &storefront, NOW).unwrap();
        let create = Command::Create {
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
        let review = Command::Review {
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
    fn a_rejection_says_what_became_of_its_refund() {
        let payment = quarantined();
        let answered = Answered::of_rejection(reviewed(&payment, Verdict::Rejected));
        assert_eq!(answered.published, [EventKind::RefundPending]);
        let answer = json!(answered.answer);
        let refund = &answer["done"]["refund"];
        let refund_id = refund["refund_id"].as_str().unwrap();
        assert!(refund_id.starts_with("rejected-"), "{refund_id}");
        assert_eq!(
            (&refund["amount"], &refund["status"], &refund["code"]),
            (&json!(1234), &json!("pending"), &json!(null))
        );
        assert_eq!(
            answer["done"]["after"]["quarantine"],
            json!(["amount_differs"])
        );

        let answered = Answered::of_release(reviewed(&payment, Verdict::Released));
        let answer = json!(answered.answer);
        assert_eq!(answer["done"]["refund"], json!(null));
        assert_eq!(answer["done"]["after"]["status"], "succeeded");
    }

    #[test]
    fn a_decision_that_was_not_made_is_refused_with_a_word() {
        for (undecided, reason) in [
            (ReviewError::NotFound, "not_found"),
            (ReviewError::NotQuarantined, "not_quarantined"),
            (ReviewError::AlreadyRefunded, "already_refunded"),
            (ReviewError::BeingRefunded, "being_refunded"),
            (ReviewError::OtherItems, "other_items"),
            (ReviewError::NoMoney, "no_money"),
        ] {
            let answer = json!(Answered::of_rejection(Err(undecided)).answer);
            assert_eq!(answer["refused"]["reason"], reason);
        }
    }
}
