//! What the platform is answered to a callback, and the one line that we keep of it.

use std::time::Duration;

use ecommpay::json::JsonError;
use lambda_http::http::StatusCode;
use payments::events::metrics;
use payments::log::{Line, Metric, Unit};
use payments::service::callback::{Handled, Outcome, Refusal, Verified};

/// No id or status in the log is longer, whatever the platform sends.
const LONGEST: usize = 64;
/// No more operations of one callback are named; the platform sends one.
const MOST_OPERATIONS: usize = 5;

/// What the platform is answered. It reads nothing but the status: 200 ends its repeats. What is not
/// true is told apart for the platform, not for an attacker: no detail.
pub fn answer(outcome: Outcome) -> StatusCode {
    match outcome {
        Outcome::Applied | Outcome::Duplicate | Outcome::Hint | Outcome::NoPayment => {
            StatusCode::OK
        }
        Outcome::Refused(Refusal::Malformed(JsonError::TooLarge)) => StatusCode::PAYLOAD_TOO_LARGE,
        Outcome::Refused(Refusal::Malformed(_)) => StatusCode::BAD_REQUEST,
        Outcome::Refused(Refusal::Unsigned) => StatusCode::UNAUTHORIZED,
        Outcome::Refused(Refusal::ForeignProject) => StatusCode::FORBIDDEN,
        Outcome::NoKeys => StatusCode::SERVICE_UNAVAILABLE,
        Outcome::NotCommitted | Outcome::NotPublished => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The line about a callback, with its metrics.
pub fn line(handled: &Handled, took: Duration) -> Line {
    let took = Metric {
        name: "duration_ms",
        unit: Unit::Milliseconds,
        value: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    };
    let mut line = line_of(handled.outcome);
    if let Some(verified) = &handled.verified {
        line = about(line, verified);
    }
    if let Some(status) = handled.status {
        line = line.with("status", status);
    }
    if let Some(error) = &handled.error {
        line = line.with("error", error);
    }
    line.with_metrics(&["outcome", "key"], &[Metric::once("callbacks"), took])
        .with_metrics(&[], &counted(handled))
}

fn line_of(outcome: Outcome) -> Line {
    let line = match outcome {
        Outcome::Applied | Outcome::Duplicate => Line::info,
        Outcome::NoKeys | Outcome::NotCommitted | Outcome::NotPublished => Line::error,
        _ => Line::warn,
    };
    line("callback").with("outcome", outcome.as_str())
}

/// What is counted, whatever the outcome.
fn counted(handled: &Handled) -> Vec<Metric> {
    let report = handled.verified.as_ref().map(|verified| &verified.report);
    let has_unknown_status = report.is_some_and(|report| report.unknown_status().is_some());
    let mut counted = metrics::metrics(&handled.published);
    counted.extend(has_unknown_status.then(|| Metric::once("unknown_status")));
    counted
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
    use ecommpay::fields::ProjectId;
    use ecommpay::{Keyring, ProjectKey};
    use payments::Timestamp;
    use payments::events::EventKind;
    use payments::model::Status;
    use payments::service::callback::verify;
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
            published: EventKind::of_status(status).into_iter().collect(),
            ..Handled::only(Outcome::Applied)
        }
    }

    fn written(handled: &Handled) -> (Value, usize) {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let text = line(handled, TOOK).at(now);
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
        // With the namespace of a stack, twice, and the end of the line.
        let length = length + 2 * "/bancontact-prod".len() + 1;
        assert!(length < 600, "{length} bytes");
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
            published: vec![EventKind::RefundSucceeded, EventKind::PaymentOverrefunded],
            ..applied("refund_success", Status::Refunded)
        };
        let names = |metrics: &Value| metrics["Metrics"][0]["Name"].clone();
        assert_eq!(names(&counted(&overrefunded)), "overrefunded");
        let again = Handled {
            published: Vec::new(),
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
}
