//! Makes the log lines of runs and of messages with retries. Each delivery has its own line
//! (`payments::service::webhook`).

use payments::log::{Line, Metric, Unit};
use payments::ports::Retry;
use payments::service::webhook::{HandedOut, Retried};

/// Creates the log line of a run. It always has all metrics. Missing metrics raise an alarm, because they mean that the
/// router does not run.
pub fn line(run: &HandedOut) -> Line {
    let line = match run.failed {
        0 if run.in_time => Line::info("webhook retries: handed out"),
        0 => Line::warn("webhook retries: not handed out in time"),
        _ => Line::error("webhook retries: some failed"),
    };
    let metric = |name, unit, value| Metric { name, unit, value };
    line.with("endpoints", run.endpoints)
        .with("payments", run.payments)
        .with("switched_off", run.switched_off)
        .with("failure", run.failure.as_ref())
        .with_metrics(
            &[],
            &[
                metric("webhook_backlog_oldest_s", Unit::Seconds, run.oldest_s),
                metric("endpoints_failing_a_day", Unit::Count, run.failing_a_day),
                metric("endpoint_breakers_open", Unit::Count, run.breakers_open),
                metric("webhook_runs_failed", Unit::Count, run.failed),
            ],
        )
}

/// Creates the log line of a message with retries.
pub fn retry_line(retry: &Retry, retried: &Retried) -> Line {
    let line = match retried.errors {
        0 => Line::info("webhook retries: done"),
        _ => Line::error("webhook retries: the store failed"),
    };
    line.with("endpoint", retry.endpoint.id.as_str())
        .with("storefront", &retry.endpoint.owner.storefront)
        .with("action", retry.action)
        .with("payments", retry.payments.len())
        .with("delivered", retried.delivered)
        .with("failed", retried.failed)
        .with("given_up", retried.given_up)
        .with("skipped", retried.skipped)
        .with("late", retried.late)
}

#[cfg(test)]
mod tests {
    use payments::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_run_without_work_has_all_metrics() {
        let run = HandedOut {
            in_time: true,
            ..HandedOut::default()
        };
        let text = line(&run).at(Timestamp::from_millis(1_562_059_700_123));
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "webhook retries: handed out");
        for name in [
            "webhook_backlog_oldest_s",
            "endpoints_failing_a_day",
            "endpoint_breakers_open",
            "webhook_runs_failed",
        ] {
            assert_eq!(line[name], json!(0), "{name}");
        }
        let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
        assert_eq!(metrics.unwrap().len(), 4);
    }

    #[test]
    fn a_run_that_fails_or_is_late_is_no_success() {
        let failed = HandedOut {
            failed: 1,
            in_time: true,
            ..HandedOut::default()
        };
        for (run, level) in [(failed, "ERROR"), (HandedOut::default(), "WARN")] {
            let text = line(&run).at(Timestamp::from_millis(1_562_059_700_123));
            let line: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(line["level"], level);
        }
    }
}
