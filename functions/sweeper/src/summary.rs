//! Makes the summary of a run: the function's reply, and a log line with metrics.

use payments::events::{EventKind, metrics};
use payments::log::{Line, Metric, Unit};
use payments::service::sweep::batch_run::BatchRun;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct Summary {
    pub outbox: BatchRun,
    /// The status polls that were handed out.
    pub polled: BatchRun,
    pub expired: BatchRun,
    pub erased: BatchRun,
    pub overdue: BatchRun,
}

impl Summary {
    /// Creates the log line. It always has all metrics, even if their values are 0. Missing metrics raise an alarm,
    /// because they mean that the sweeper does not run.
    pub fn line(&self) -> Line {
        let Summary {
            outbox,
            polled,
            expired,
            erased,
            overdue,
        } = self;
        let runs = [outbox, polled, expired, erased, overdue];
        let in_time = [outbox, polled, expired, erased]
            .iter()
            .all(|run| run.in_time);
        let failure = runs.iter().find_map(|run| run.failure.as_ref());
        let line = match runs.iter().map(|run| run.failed).sum() {
            0 if in_time => Line::info("sweep: done"),
            0 => Line::warn("sweep: not done in time"),
            _ => Line::error("sweep: some failed"),
        };
        let metric = |name, unit, value| Metric { name, unit, value };
        let events: Vec<EventKind> = [&outbox.events[..], &expired.events].concat();
        let is_expiry = |kind: &&EventKind| **kind == EventKind::CheckoutExpired;
        let expiries = events.iter().filter(is_expiry).map(|_| 1).sum();
        let parts = [outbox, expired, erased];
        let work_handed_out: u64 = parts.iter().map(|run| run.handed_out).sum();
        line.with("outbox_found", outbox.found)
            .with("outbox_published", outbox.done)
            .with("polls_due", polled.found)
            .with("polls_handed_out", polled.handed_out)
            .with("erased", erased.done)
            .with("work_handed_out", work_handed_out)
            .with("failure", failure)
            .with_metrics(
                &[],
                &[
                    metric("outbox_oldest_age_s", Unit::Seconds, outbox.oldest_s),
                    metric("outbox_failed", Unit::Count, outbox.failed),
                    metric("polls_failed", Unit::Count, polled.failed),
                    metric("expired", Unit::Count, expiries),
                    metric("expiries_failed", Unit::Count, expired.failed),
                    metric("erasures_failed", Unit::Count, erased.failed),
                    metric("overdue", Unit::Count, overdue.found),
                    metric("oldest_overdue_s", Unit::Seconds, overdue.oldest_s),
                ],
            )
            .with_metrics(&[], &metrics::metrics(&events))
    }
}

#[cfg(test)]
mod tests {
    use payments::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn written(outbox: BatchRun) -> Value {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let summary = Summary {
            outbox,
            polled: BatchRun::EMPTY,
            expired: BatchRun::EMPTY,
            erased: BatchRun::EMPTY,
            overdue: BatchRun {
                found: 2,
                done: 2,
                oldest_s: 86_400,
                ..BatchRun::EMPTY
            },
        };
        let text = summary.line().at(now);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_run_without_work_has_all_metrics() {
        assert_eq!(
            written(BatchRun::EMPTY),
            json!({
                "_aws": {
                    "Timestamp": 1_562_059_700_123_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Bancontact",
                        "Dimensions": [[]],
                        "Metrics": [
                            { "Name": "outbox_oldest_age_s", "Unit": "Seconds" },
                            { "Name": "outbox_failed", "Unit": "Count" },
                            { "Name": "polls_failed", "Unit": "Count" },
                            { "Name": "expired", "Unit": "Count" },
                            { "Name": "expiries_failed", "Unit": "Count" },
                            { "Name": "erasures_failed", "Unit": "Count" },
                            { "Name": "overdue", "Unit": "Count" },
                            { "Name": "oldest_overdue_s", "Unit": "Seconds" },
                        ],
                    }],
                },
                "level": "INFO",
                "message": "sweep: done",
                "outbox_found": 0,
                "outbox_published": 0,
                "outbox_failed": 0,
                "outbox_oldest_age_s": 0,
                "polls_due": 0,
                "polls_handed_out": 0,
                "polls_failed": 0,
                "expired": 0,
                "expiries_failed": 0,
                "erased": 0,
                "work_handed_out": 0,
                "erasures_failed": 0,
                "overdue": 2,
                "oldest_overdue_s": 86_400,
                "failure": null,
            })
        );
    }

    #[test]
    fn the_line_of_a_run_has_the_counts_of_a_failed_part_and_one_failure() {
        let line = written(BatchRun {
            found: 3,
            done: 1,
            failed: 2,
            oldest_s: 901,
            failure: Some("211/order-1: the queue is down".into()),
            ..BatchRun::EMPTY
        });
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["message"], "sweep: some failed");
        assert_eq!(line["outbox_oldest_age_s"], 901);
        assert_eq!(line["outbox_failed"], 2);
        assert_eq!(line["failure"], "211/order-1: the queue is down");
        let metrics = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        assert_eq!(
            *metrics,
            written(BatchRun::EMPTY)["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        );
    }

    #[test]
    fn expired_checkouts_are_counted_by_their_events() {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let summary = Summary {
            outbox: BatchRun::EMPTY,
            polled: BatchRun::EMPTY,
            expired: BatchRun {
                found: 3,
                done: 2,
                failed: 1,
                events: vec![EventKind::CheckoutExpired],
                ..BatchRun::EMPTY
            },
            erased: BatchRun::EMPTY,
            overdue: BatchRun::EMPTY,
        };
        let line: Value = serde_json::from_str(&summary.line().at(now)).unwrap();
        assert_eq!(line["level"], "ERROR");
        assert_eq!(
            (&line["expired"], &line["expiries_failed"]),
            (&json!(1), &json!(1))
        );
    }

    #[test]
    fn a_run_that_was_not_done_in_time_is_logged_as_a_warning() {
        let line = written(BatchRun {
            in_time: false,
            ..BatchRun::EMPTY
        });
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "sweep: not done in time");
    }
}
