//! A tick in, one line and what was done out. Whatever fails is tried again at the next tick.

use std::time::{Duration, SystemTime};

use aws::config;
use aws::environment::{Environment, LivePayments};
use aws::gate_http::HttpGate;
use aws::prewarm;
use aws::secrets::{CachedProjectKeys, CachedTokenSecret};
use lambda_runtime::{Context, Error, LambdaEvent};
use payments::events::{EventKind, metrics};
use payments::log::{Line, Metric, Unit};
use payments::service::status_poll::StatusPoller;
use payments::service::sweep::batch_run::BatchRun;
use serde::Serialize;
use serde::de::IgnoredAny;
use tokio::time::Instant;

/// What is left of the function's time for ending in good order.
const TO_END: Duration = Duration::from_secs(5);

/// What the ticks need.
pub struct Sweeper {
    payments: LivePayments,
    gate: HttpGate,
    keys: CachedProjectKeys,
    tokens: CachedTokenSecret,
    base_url: String,
    grace: Duration,
    min_interval: Duration,
}

impl Sweeper {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            tokens: environment.token_secret()?,
            base_url: config::base_url("PUBLIC_BASE_URL")?,
            payments: environment.payments()?,
            gate: environment.gate()?,
            keys: environment.project_keys()?,
            grace: config::seconds("OUTBOX_GRACE_SECONDS")?,
            min_interval: config::seconds("STATUS_POLL_MIN_INTERVAL")?,
        })
    }

    /// Connects and fetches secrets before the first tick. Most ticks publish and poll nothing, so this connects
    /// neither to the queues nor to Gate.
    pub async fn prewarm(&self) {
        let all = async {
            tokio::join!(
                self.payments.store.prewarm(),
                self.keys.prewarm(),
                self.tokens.prewarm(),
            )
        };
        prewarm::within_limit(all).await;
    }

    /// One tick, whatever the event says.
    pub async fn handle(&self, tick: LambdaEvent<IgnoredAny>) -> Result<Swept, Error> {
        let end = end(&tick.context);
        // Side by side: neither a slow queue nor a slow platform keeps the other waiting.
        let (outbox, polled, expired, erased, overdue) = tokio::join!(
            self.payments.sweep_outbox(self.grace, end),
            self.poll(end),
            self.payments.expire_all(end),
            self.payments.erase_all(end),
            self.payments.count_overdue(end),
        );
        let swept = Swept {
            outbox,
            polled,
            expired,
            erased,
            overdue,
        };
        swept.line().write();
        Ok(swept)
    }

    async fn poll(&self, end: Instant) -> BatchRun {
        match tokio::try_join!(self.keys.get(), self.tokens.get()) {
            Ok((keys, tokens)) => {
                let poller = StatusPoller {
                    payments: &self.payments,
                    gate: &self.gate,
                    keys: &keys,
                    tokens,
                    base_url: &self.base_url,
                    min_interval: self.min_interval,
                };
                poller.poll_all(end).await
            }
            Err(error) => BatchRun {
                failed: 1,
                failure: Some(error.to_string()),
                ..BatchRun::EMPTY
            },
        }
    }
}

/// What a tick did.
#[derive(Debug, Serialize)]
pub struct Swept {
    /// With the events that were left behind.
    pub outbox: BatchRun,
    /// With what the platform was to be asked about.
    pub polled: BatchRun,
    /// With the checkouts whose time has run out.
    pub expired: BatchRun,
    /// With the customers who were to be forgotten.
    pub erased: BatchRun,
    /// With what is open past its end: only counted.
    pub overdue: BatchRun,
}

/// When to stop.
fn end(context: &Context) -> Instant {
    let left = context.deadline().duration_since(SystemTime::now());
    Instant::now() + left.unwrap_or_default().saturating_sub(TO_END)
}

impl Swept {
    /// The line about it. It has its metrics at each tick, also when they are 0, so that an alarm
    /// can tell a sweeper with nothing to do from one that does not run.
    fn line(&self) -> Line {
        let Swept {
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
        let events: Vec<EventKind> = [&outbox.events[..], &polled.events, &expired.events].concat();
        let is_expiry = |kind: &&EventKind| **kind == EventKind::CheckoutExpired;
        let expiries = events.iter().filter(is_expiry).map(|_| 1).sum();
        line.with("outbox_found", outbox.found)
            .with("outbox_published", outbox.done)
            .with("polls_due", polled.found)
            .with("polls_answered", polled.done)
            .with("erased", erased.done)
            .with("failure", failure)
            .with_metrics(
                &[],
                &[
                    metric("outbox_oldest_age_s", Unit::Seconds, outbox.oldest_s),
                    metric("outbox_failed", Unit::Count, outbox.failed),
                    metric("poll_lag_s", Unit::Seconds, polled.oldest_s),
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
        let swept = Swept {
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
        let text = swept.line().at(now);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_quiet_tick_has_its_metrics_too() {
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
                            { "Name": "poll_lag_s", "Unit": "Seconds" },
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
                "polls_answered": 0,
                "polls_failed": 0,
                "poll_lag_s": 0,
                "expired": 0,
                "expiries_failed": 0,
                "erased": 0,
                "erasures_failed": 0,
                "overdue": 2,
                "oldest_overdue_s": 86_400,
                "failure": null,
            })
        );
    }

    #[test]
    fn what_is_stuck_is_counted_and_told() {
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
    fn the_ends_of_checkouts_are_counted_by_their_events() {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let swept = Swept {
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
        let line: Value = serde_json::from_str(&swept.line().at(now)).unwrap();
        assert_eq!(line["level"], "ERROR");
        assert_eq!(
            (&line["expired"], &line["expiries_failed"]),
            (&json!(1), &json!(1))
        );
    }

    #[test]
    fn a_tick_that_ran_out_of_time_says_so() {
        let line = written(BatchRun {
            in_time: false,
            ..BatchRun::EMPTY
        });
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "sweep: not done in time");
    }
}
