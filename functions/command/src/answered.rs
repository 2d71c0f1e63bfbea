//! An answer, and the line that is kept of a command.

use payments::apply::Applied;
use payments::decision::Undecided;
use payments::event::{self, EventKind};
use payments::log::Line;

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
    pub sent: Vec<EventKind>,
}

impl Answered {
    /// One without events.
    pub fn quiet(answer: Answer) -> Self {
        Self {
            answer,
            payment: None,
            sent: Vec::new(),
        }
    }

    /// One about doubts.
    pub fn of_decision(decided: Result<Applied, Undecided>) -> Self {
        let applied = decided.as_ref().ok();
        let sent = applied.and_then(|applied| applied.published.as_ref().ok());
        Self {
            sent: sent.cloned().unwrap_or_default(),
            ..Self::quiet(Answer::of_decision(decided))
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
        line.with_metrics(&[], &event::metrics(&self.sent))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use payments::Timestamp;
    use payments::republish::{RepublishError, Republished};
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
            announced: vec![EventKind::PaymentSucceeded],
            repeated: vec![(1, EventKind::PaymentCreated)],
            gone: Vec::new(),
        };
        let answered = Answered {
            sent: republished.announced.clone(),
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
            "announced": ["payment.succeeded"],
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
}
