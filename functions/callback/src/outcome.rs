//! What becomes of a callback: what the platform is answered, and the one line that we keep.

use std::time::Duration;

use ecommpay::json::JsonError;
use lambda_http::http::StatusCode;
use payments::callback::{Refusal, Verified};
use payments::event::{self, EventKind};
use payments::log::{Line, Metric, Unit};
use payments::payment::Status;

/// No id or status in the log is longer, whatever the platform sends.
const LONGEST: usize = 64;
/// No more operations of one callback are named; the platform sends one.
const MOST_OPERATIONS: usize = 5;

/// What became of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It changed something, and that is announced.
    Applied,
    /// It says nothing new.
    Duplicate,
    /// It could stand for another body: the platform will be asked.
    Hint,
    /// It names no payment.
    NoPayment,
    /// Not taken.
    Refused(Refusal),
    /// The project keys cannot be read.
    NoKeys,
    /// What it changes could not be stored.
    NotCommitted,
    /// What it changed is stored, but not sent to every queue.
    NotAnnounced,
}

impl Outcome {
    /// The outcome's name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Duplicate => "duplicate",
            Outcome::Hint => "hint",
            Outcome::NoPayment => "no_payment",
            Outcome::Refused(Refusal::Malformed(JsonError::TooLarge)) => "too_large",
            Outcome::Refused(Refusal::Malformed(_)) => "malformed",
            Outcome::Refused(Refusal::Unsigned) => "bad_signature",
            Outcome::Refused(Refusal::ForeignProject) => "foreign_project",
            Outcome::NoKeys => "no_keys",
            Outcome::NotCommitted => "not_committed",
            Outcome::NotAnnounced => "not_announced",
        }
    }

    /// What the platform is answered. It reads nothing but the status: 200 ends its repeats. What
    /// is not true is told apart for the platform, not for an attacker: no detail.
    pub fn answer(self) -> StatusCode {
        match self {
            Outcome::Applied | Outcome::Duplicate | Outcome::Hint | Outcome::NoPayment => {
                StatusCode::OK
            }
            Outcome::Refused(Refusal::Malformed(JsonError::TooLarge)) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Outcome::Refused(Refusal::Malformed(_)) => StatusCode::BAD_REQUEST,
            Outcome::Refused(Refusal::Unsigned) => StatusCode::UNAUTHORIZED,
            Outcome::Refused(Refusal::ForeignProject) => StatusCode::FORBIDDEN,
            Outcome::NoKeys => StatusCode::SERVICE_UNAVAILABLE,
            Outcome::NotCommitted | Outcome::NotAnnounced => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn line(self) -> Line {
        let line = match self {
            Outcome::Applied | Outcome::Duplicate => Line::info,
            Outcome::NoKeys | Outcome::NotCommitted | Outcome::NotAnnounced => Line::error,
            _ => Line::warn,
        };
        line("callback").with("outcome", self.as_str())
    }
}

/// A callback that was dealt with.
#[derive(Debug)]
pub struct Handled {
    /// What became of it.
    pub outcome: Outcome,
    /// What it says; only of what is verified does anything reach the log.
    pub verified: Option<Verified>,
    /// The payment's status afterwards, if there is a payment.
    pub status: Option<Status>,
    /// The events that were sent.
    pub sent: Vec<EventKind>,
    /// What went wrong on our side.
    pub error: Option<String>,
}

impl Handled {
    /// One of which nothing more is known than what became of it.
    pub fn only(outcome: Outcome) -> Self {
        Self {
            outcome,
            verified: None,
            status: None,
            sent: Vec::new(),
            error: None,
        }
    }

    /// The line about it, with its metrics.
    pub fn line(&self, took: Duration) -> Line {
        let took = Metric {
            name: "duration_ms",
            unit: Unit::Milliseconds,
            value: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        let mut line = self.outcome.line();
        if let Some(verified) = &self.verified {
            line = about(line, verified);
        }
        if let Some(status) = self.status {
            line = line.with("status", status);
        }
        if let Some(error) = &self.error {
            line = line.with("error", error);
        }
        line.with_metrics(&["outcome", "key"], &[Metric::once("callbacks"), took])
            .with_metrics(&[], &self.counted())
    }

    /// What is counted, whatever the outcome.
    fn counted(&self) -> Vec<Metric> {
        let report = self.verified.as_ref().map(|verified| &verified.report);
        let is_odd = report.is_some_and(|report| report.unknown_status().is_some());
        let mut counted = event::metrics(&self.sent);
        counted.extend(is_odd.then(|| Metric::once("unknown_status")));
        counted
    }
}

/// Which payment and operations a callback is about, and which key says so.
fn about(line: Line, verified: &Verified) -> Line {
    let report = &verified.report;
    let mut line = line.with("key", verified.slot.as_str());
    if let Some(project_id) = report.project_id {
        line = line.with("project", project_id);
    }
    if let Some(payment_id) = &report.payment_id {
        line = line.with(
            "payment",
            start_of(payment_id, payments::PaymentKey::LONGEST_ID),
        );
    }
    let ids = report
        .operations
        .iter()
        .filter_map(|operation| operation.id.as_deref());
    let operations: Vec<String> = ids
        .take(MOST_OPERATIONS)
        .map(|id| start_of(id, LONGEST))
        .collect();
    if !operations.is_empty() {
        line = line.with("operations", operations);
    }
    if let Some(status) = report.unknown_status().or(report.payment_status.as_deref()) {
        line = line.with("platform_status", start_of(status, LONGEST));
    }
    line
}

fn start_of(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ecommpay::fields::ProjectId;
    use ecommpay::{Keyring, ProjectKey};
    use payments::Timestamp;
    use payments::callback::verify;
    use serde_json::{Value, json};

    use super::*;

    const TOOK: Duration = Duration::from_millis(41);

    /// A verified callback of the corpus.
    fn corpus(file: &str) -> Verified {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/callbacks");
        let body = std::fs::read(format!("{folder}/{file}.json")).unwrap();
        let key = ProjectKey::new("test-secret-key").unwrap();
        let keys = [(ProjectId::new(211).unwrap(), Keyring::new(key, None))].into();
        verify(&body, &keys).unwrap()
    }

    fn applied(file: &str, status: Status) -> Handled {
        Handled {
            verified: Some(corpus(file)),
            status: Some(status),
            sent: EventKind::of_status(status).into_iter().collect(),
            ..Handled::only(Outcome::Applied)
        }
    }

    fn written(handled: &Handled) -> (Value, usize) {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let text = handled.line(TOOK).at(now).to_string();
        (serde_json::from_str(&text).unwrap(), text.len())
    }

    #[test]
    fn a_usual_callback_leaves_one_short_line() {
        let (line, length) = written(&applied("sale_success_account", Status::Succeeded));
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_562_059_700_123_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Bancontact",
                        "Dimensions": [["outcome"], ["key"]],
                        "Metrics": [
                            { "Name": "callbacks", "Unit": "Count" },
                            { "Name": "duration_ms", "Unit": "Milliseconds" },
                        ],
                    }, {
                        "Namespace": "Bancontact",
                        "Dimensions": [[]],
                        "Metrics": [{ "Name": "paid", "Unit": "Count" }],
                    }],
                },
                "level": "INFO",
                "message": "callback",
                "project": 211,
                "payment": "ECT_TEST_1562051806691899",
                "operations": ["37493000003351"],
                "platform_status": "success",
                "status": "succeeded",
                "outcome": "applied",
                "key": "current",
                "callbacks": 1,
                "paid": 1,
                "duration_ms": 41,
            })
        );
        assert!(length < 700, "{length} bytes");
    }

    #[test]
    fn what_an_operator_must_know_is_counted_by_itself() {
        let counted = |handled: &Handled| {
            let (line, _) = written(handled);
            line["_aws"]["CloudWatchMetrics"][1].clone()
        };
        for (name, handled) in [
            (
                "quarantined",
                applied("amount_differs", Status::Quarantined),
            ),
            ("unmatched", applied("sale_success", Status::Unmatched)),
            (
                "unknown_status",
                applied("unknown_status", Status::Processing),
            ),
        ] {
            let metrics = json!([{ "Name": name, "Unit": "Count" }]);
            assert_eq!(
                counted(&handled),
                json!({ "Namespace": "Bancontact", "Dimensions": [[]], "Metrics": metrics })
            );
        }
        let overrefunded = Handled {
            sent: vec![EventKind::RefundSucceeded, EventKind::PaymentOverrefunded],
            ..applied("refund_success", Status::Refunded)
        };
        let names = |metrics: &Value| metrics["Metrics"][0]["Name"].clone();
        assert_eq!(names(&counted(&overrefunded)), "overrefunded");
        let again = Handled {
            sent: Vec::new(),
            ..applied("amount_differs", Status::Quarantined)
        };
        assert_eq!(counted(&again), Value::Null, "counted once");
    }

    #[test]
    fn of_what_is_not_verified_nothing_is_told() {
        let (line, _) = written(&Handled::only(Outcome::Refused(Refusal::Unsigned)));
        let fields: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(
            fields,
            [
                "_aws",
                "callbacks",
                "duration_ms",
                "level",
                "message",
                "outcome"
            ]
        );
        let dimensions = &line["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
        assert_eq!(*dimensions, json!([["outcome"]]));
    }

    #[test]
    fn a_failure_is_told_in_the_same_line() {
        let (line, _) = written(&Handled {
            error: Some("the queue is down".into()),
            ..applied("sale_success", Status::Succeeded)
        });
        assert_eq!(line["error"], "the queue is down");
        assert_eq!(line["payment"], "ECT_TEST_1562051806691899");
    }

    #[test]
    fn whatever_the_platform_sends_the_line_stays_short() {
        let mut verified = corpus("sale_success");
        let operation = verified.report.operations[0].clone();
        verified.report.operations = vec![operation; 1000];
        for operation in &mut verified.report.operations {
            operation.id = Some("9".repeat(10_000));
            operation.status = "x".repeat(10_000);
        }
        verified.report.payment_id = Some("p".repeat(255));
        let handled = Handled {
            verified: Some(verified),
            ..Handled::only(Outcome::Applied)
        };
        let (_, length) = written(&handled);
        assert!(length < 1_500, "{length} bytes");
    }

    #[test]
    fn each_outcome_has_its_own_name() {
        let all = [
            Outcome::Applied,
            Outcome::Duplicate,
            Outcome::Hint,
            Outcome::NoPayment,
            Outcome::Refused(Refusal::Malformed(JsonError::TooLarge)),
            Outcome::Refused(Refusal::Malformed(JsonError::NotUtf8)),
            Outcome::Refused(Refusal::Unsigned),
            Outcome::Refused(Refusal::ForeignProject),
            Outcome::NoKeys,
            Outcome::NotCommitted,
            Outcome::NotAnnounced,
        ];
        let names: BTreeSet<&str> = all.iter().map(|outcome| outcome.as_str()).collect();
        assert_eq!(names.len(), all.len());
    }
}
