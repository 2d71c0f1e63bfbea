//! Makes the log line that the worker writes for each message of the work queue.

use payments::events::{EventKind, metrics};
use payments::log::{Line, Metric, Unit};
use payments::service::sweep::batch_run::BatchRun;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Poll,
    /// The publication of outboxes.
    Publish,
    /// The expiry of checkouts.
    Expire,
    /// The erasure of customers' data.
    Erase,
}

/// Creates the log line. If the sweeper does such work itself, the sweeper's log line has the same metric names.
pub fn line(kind: Kind, run: &BatchRun) -> Line {
    let line = match run.failed {
        0 if run.in_time => Line::info("work: done"),
        0 => Line::warn("work: not done in time"),
        _ => Line::error("work: some failed"),
    };
    let metric = |name, unit, value| Metric { name, unit, value };
    let count = |name, value| metric(name, Unit::Count, value);
    let own = match kind {
        Kind::Poll => vec![
            metric("poll_lag_s", Unit::Seconds, run.oldest_s),
            count("polls_failed", run.failed),
        ],
        Kind::Publish => vec![count("outbox_failed", run.failed)],
        Kind::Expire => {
            let is_expiry = |kind: &&EventKind| **kind == EventKind::CheckoutExpired;
            let expired = run.events.iter().filter(is_expiry).map(|_| 1).sum();
            vec![
                count("expired", expired),
                count("expiries_failed", run.failed),
            ]
        }
        Kind::Erase => vec![count("erasures_failed", run.failed)],
    };
    line.with("kind", kind)
        .with("payments", run.found)
        .with("done", run.done)
        .with("unreadable", run.unreadable)
        .with("failure", run.failure.as_ref())
        .with_metrics(&[], &own)
        .with_metrics(&[], &metrics::metrics(&run.events))
}

#[cfg(test)]
mod tests {
    use payments::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn written(kind: Kind, run: &BatchRun) -> Value {
        let text = line(kind, run).at(Timestamp::from_millis(1_562_059_700_123));
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_line_of_a_poll_has_the_lag_and_the_count_of_failures() {
        let run = BatchRun {
            found: 4,
            done: 2,
            failed: 1,
            unreadable: 1,
            oldest_s: 75,
            failure: Some("211/order-1: no answer".into()),
            events: vec![EventKind::OrderPaidTwice],
            ..BatchRun::EMPTY
        };
        let line = written(Kind::Poll, &run);
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["message"], "work: some failed");
        assert_eq!(line["failure"], "211/order-1: no answer");
        for (name, value) in [
            ("kind", json!("poll")),
            ("payments", json!(4)),
            ("done", json!(2)),
            ("unreadable", json!(1)),
            ("poll_lag_s", json!(75)),
            ("polls_failed", json!(1)),
            ("order_paid_twice", json!(1)),
        ] {
            assert_eq!(line[name], value, "{name}");
        }
    }

    #[test]
    fn each_kind_of_work_has_its_own_metrics() {
        let run = BatchRun {
            found: 2,
            done: 2,
            events: vec![EventKind::CheckoutExpired],
            ..BatchRun::EMPTY
        };
        for (kind, expected) in [
            (Kind::Poll, vec!["poll_lag_s", "polls_failed"]),
            (Kind::Publish, vec!["outbox_failed"]),
            (Kind::Expire, vec!["expired", "expiries_failed"]),
            (Kind::Erase, vec!["erasures_failed"]),
        ] {
            let line = written(kind, &run);
            let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
            let names: Vec<&str> = metrics
                .unwrap()
                .iter()
                .map(|metric| metric["Name"].as_str().unwrap())
                .collect();
            assert_eq!(names, expected, "{line}");
            assert_eq!(line["message"], "work: done");
        }
        assert_eq!(written(Kind::Expire, &run)["expired"], 1);
    }
}
