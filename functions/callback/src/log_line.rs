//! Makes the log line of a callback, with its metrics.

use std::time::Duration;

use payments::events::metrics;
use payments::log::{Line, Metric, Unit};
use payments::service::callback::{Handled, Outcome, Verified};

/// The maximum length of an operation's id, and of the platform's status, in characters.
const MAX_LENGTH: usize = 64;
/// The maximum number of operation ids. A documented callback names at most one operation.
const MAX_OPERATIONS: usize = 5;

/// Creates the line of a callback. `duration` is the time that the function spent on the callback.
pub fn log_line(handled: &Handled, duration: Duration) -> Line {
    let duration = Metric {
        name: "duration_ms",
        unit: Unit::Milliseconds,
        value: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
    };
    let mut line = with_level(handled.outcome);
    if let Some(verified) = &handled.verified {
        line = with_report(line, verified);
    }
    if let Some(status) = handled.status {
        line = line.with("status", status);
    }
    if let Some(error) = &handled.error {
        line = line.with("error", error);
    }
    line.with_metrics(&["outcome", "key"], &[Metric::once("callbacks"), duration])
        .with_metrics(&[], &counts(handled))
}

fn with_level(outcome: Outcome) -> Line {
    let line = match outcome {
        Outcome::Applied | Outcome::Duplicate | Outcome::NotACallback => Line::info,
        Outcome::NoKeys | Outcome::NotCommitted | Outcome::NotPublished => Line::error,
        _ => Line::warn,
    };
    line("callback").with("outcome", outcome.as_str())
}

/// Returns the metrics without dimensions: the metrics of the published events, and the count of callbacks with an
/// undocumented status.
fn counts(handled: &Handled) -> Vec<Metric> {
    let report = handled.verified.as_ref().map(|verified| &verified.report);
    let has_undocumented_status =
        report.is_some_and(|report| report.undocumented_status().is_some());
    let mut counts = metrics::metrics(&handled.published);
    counts.extend(has_undocumented_status.then(|| Metric::once("undocumented_status")));
    counts
}

/// Adds the project, payment, operations and status of a callback, and the key that signed the callback.
fn with_report(line: Line, verified: &Verified) -> Line {
    let report = &verified.report;
    let mut line = line.with("key", verified.slot.as_str());
    if let Some(project_id) = report.project_id {
        line = line.with("project", project_id);
    }
    if let Some(payment_id) = &report.payment_id {
        line = line.with(
            "payment",
            start_of(payment_id, payments::PaymentKey::MAX_ID_LENGTH),
        );
    }
    let ids = report
        .operations
        .iter()
        .filter_map(|operation| operation.id.as_deref());
    let operations: Vec<String> = ids
        .take(MAX_OPERATIONS)
        .map(|id| start_of(id, MAX_LENGTH))
        .collect();
    if !operations.is_empty() {
        line = line.with("operations", operations);
    }
    if let Some(status) = report
        .undocumented_status()
        .or(report.payment_status.as_deref())
    {
        line = line.with("platform_status", start_of(status, MAX_LENGTH));
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
    use payments::service::callback::{Refusal, verify};
    use serde_json::{Value, json};

    use super::*;

    const DURATION: Duration = Duration::from_millis(41);

    /// Reads a callback of `tests/data/callbacks` and verifies it.
    fn verified(file: &str) -> Verified {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/callbacks");
        let body = std::fs::read(format!("{folder}/{file}.json")).unwrap();
        let key = ProjectKey::new("test-secret-key").unwrap();
        let keys = [(ProjectId::new(211).unwrap(), Keyring::new(key, None))].into();
        verify(&body, &keys).unwrap()
    }

    fn applied(file: &str, status: Status) -> Handled {
        Handled {
            verified: Some(verified(file)),
            status: Some(status),
            published: EventKind::of_status(status).into_iter().collect(),
            ..Handled::new(Outcome::Applied)
        }
    }

    fn written(handled: &Handled) -> (Value, usize) {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let text = log_line(handled, DURATION).at(now);
        (serde_json::from_str(&text).unwrap(), text.len())
    }

    #[test]
    fn an_applied_callback_has_one_short_line() {
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
        // In a deployed function, both namespaces end with the name of the stack, and the line ends with a line feed.
        let length = length + 2 * "/bancontact-prod".len() + 1;
        assert!(length < 600, "{length} bytes");
    }

    #[test]
    fn the_metrics_of_events_have_no_dimensions() {
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
                "undocumented_status",
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
        let repeated = Handled {
            published: Vec::new(),
            ..applied("amount_differs", Status::Quarantined)
        };
        assert_eq!(
            counted(&repeated),
            Value::Null,
            "an event is counted only when it is published"
        );
    }

    #[test]
    fn the_line_of_an_unverified_callback_has_no_data_of_its_body() {
        let (line, _) = written(&Handled::new(Outcome::Refused(Refusal::Unsigned)));
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
    fn the_log_line_of_a_failed_callback_has_the_error() {
        let (line, _) = written(&Handled {
            error: Some("the queue is down".into()),
            ..applied("sale_success", Status::Succeeded)
        });
        assert_eq!(line["error"], "the queue is down");
        assert_eq!(line["payment"], "ECT_TEST_1562051806691899");
    }

    #[test]
    fn the_line_of_a_huge_report_stays_short() {
        let mut verified = verified("sale_success");
        let operation = verified.report.operations[0].clone();
        verified.report.operations = vec![operation; 1000];
        for operation in &mut verified.report.operations {
            operation.id = Some("9".repeat(10_000));
            operation.status = "x".repeat(10_000);
        }
        verified.report.payment_id = Some("p".repeat(255));
        let handled = Handled {
            verified: Some(verified),
            ..Handled::new(Outcome::Applied)
        };
        let (_, length) = written(&handled);
        assert!(length < 1_500, "{length} bytes");
    }
}
