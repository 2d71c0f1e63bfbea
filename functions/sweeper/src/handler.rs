//! A tick in, one line and what was done out. Whatever fails is tried again at the next tick.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, Error, LambdaEvent};
use payments::adapters::gate_http::HttpGate;
use payments::adapters::live::{self, LivePayments};
use payments::adapters::secrets::{KeptTokenSecret, ProjectKeySecret};
use payments::adapters::{aws, opening};
use payments::ask::Asker;
use payments::config;
use payments::event::{self, EventKind};
use payments::log::{Line, Metric, Unit};
use payments::round::Round;
use serde::Serialize;
use serde::de::IgnoredAny;
use tokio::time::Instant;

/// What is left of the function's time for ending in good order.
const TO_END: Duration = Duration::from_secs(5);

/// What the ticks need.
pub struct Sweeper {
    payments: LivePayments,
    gate: HttpGate,
    keys: ProjectKeySecret,
    tokens: KeptTokenSecret,
    base_url: String,
    grace: Duration,
    pace: Duration,
}

impl Sweeper {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let aws = aws::from_environment()?;
        Ok(Self {
            tokens: KeptTokenSecret::new(&aws, config::required("TOKEN_SECRET")?),
            base_url: config::base_url("PUBLIC_BASE_URL")?,
            payments: live::payments(&aws)?,
            gate: HttpGate::new(config::base_url("GATE_URL")?)?,
            keys: ProjectKeySecret::new(&aws, config::required("PROJECT_KEYS_SECRET")?),
            grace: config::seconds("UNSENT_GRACE_SECONDS")?,
            pace: config::seconds("QUESTION_PACE_SECONDS")?,
        })
    }

    /// What every tick needs. Most find nothing to send and nothing to ask, so neither the queues
    /// nor Gate are among it.
    pub async fn open(&self) {
        let opened = async {
            tokio::join!(
                self.payments.store.open(),
                self.keys.open(),
                self.tokens.open(),
            )
        };
        opening::within_limit(opened).await;
    }

    /// One tick, whatever the event says.
    pub async fn handle(&self, tick: LambdaEvent<IgnoredAny>) -> Result<Swept, Error> {
        let end = end(&tick.context);
        // Side by side: neither a slow queue nor a slow platform keeps the other waiting.
        let (unsent, asked, expired, erased, overdue) = tokio::join!(
            self.payments.relay(self.grace, end),
            self.ask(end),
            self.payments.expire_all(end),
            self.payments.erase_all(end),
            self.payments.overdue(end),
        );
        let swept = Swept {
            unsent,
            asked,
            expired,
            erased,
            overdue,
        };
        swept.line().write();
        Ok(swept)
    }

    async fn ask(&self, end: Instant) -> Round {
        match tokio::try_join!(self.keys.get(), self.tokens.get()) {
            Ok((keys, tokens)) => {
                let asker = Asker {
                    payments: &self.payments,
                    gate: &self.gate,
                    keys: &keys,
                    tokens,
                    base_url: &self.base_url,
                    pace: self.pace,
                };
                asker.ask_all(end).await
            }
            Err(error) => Round {
                failed: 1,
                failure: Some(error.to_string()),
                ..Round::QUIET
            },
        }
    }
}

/// What a tick did.
#[derive(Debug, Serialize)]
pub struct Swept {
    /// With the events that were left behind.
    pub unsent: Round,
    /// With what the platform was to be asked about.
    pub asked: Round,
    /// With the checkouts whose time has run out.
    pub expired: Round,
    /// With the customers who were to be forgotten.
    pub erased: Round,
    /// With what is open past its end: only counted.
    pub overdue: Round,
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
            unsent,
            asked,
            expired,
            erased,
            overdue,
        } = self;
        let rounds = [unsent, asked, expired, erased, overdue];
        let in_time = [unsent, asked, expired, erased]
            .iter()
            .all(|round| round.in_time);
        let failure = rounds.iter().find_map(|round| round.failure.as_ref());
        let line = match rounds.iter().map(|round| round.failed).sum() {
            0 if in_time => Line::info("sweep: done"),
            0 => Line::warn("sweep: not done in time"),
            _ => Line::error("sweep: some failed"),
        };
        let metric = |name, unit, value| Metric { name, unit, value };
        let events: Vec<EventKind> = [&unsent.events[..], &asked.events, &expired.events].concat();
        let is_expiry = |kind: &&EventKind| **kind == EventKind::CheckoutExpired;
        let expiries = events.iter().filter(is_expiry).map(|_| 1).sum();
        line.with("unsent_found", unsent.found)
            .with("unsent_sent", unsent.done)
            .with("checks_found", asked.found)
            .with("checks_answered", asked.done)
            .with("erased", erased.done)
            .with("failure", failure)
            .with_metrics(
                &[],
                &[
                    metric("oldest_unsent_s", Unit::Seconds, unsent.oldest_s),
                    metric("unsent_failed", Unit::Count, unsent.failed),
                    metric("oldest_check_s", Unit::Seconds, asked.oldest_s),
                    metric("checks_failed", Unit::Count, asked.failed),
                    metric("expired", Unit::Count, expiries),
                    metric("expiries_failed", Unit::Count, expired.failed),
                    metric("erasures_failed", Unit::Count, erased.failed),
                    metric("overdue", Unit::Count, overdue.found),
                    metric("oldest_overdue_s", Unit::Seconds, overdue.oldest_s),
                ],
            )
            .with_metrics(&[], &event::metrics(&events))
    }
}

#[cfg(test)]
mod tests {
    use payments::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn written(unsent: Round) -> Value {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let swept = Swept {
            unsent,
            asked: Round::QUIET,
            expired: Round::QUIET,
            erased: Round::QUIET,
            overdue: Round {
                found: 2,
                done: 2,
                oldest_s: 86_400,
                ..Round::QUIET
            },
        };
        let text = swept.line().at(now);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_quiet_tick_has_its_metrics_too() {
        assert_eq!(
            written(Round::QUIET),
            json!({
                "_aws": {
                    "Timestamp": 1_562_059_700_123_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Bancontact",
                        "Dimensions": [[]],
                        "Metrics": [
                            { "Name": "oldest_unsent_s", "Unit": "Seconds" },
                            { "Name": "unsent_failed", "Unit": "Count" },
                            { "Name": "oldest_check_s", "Unit": "Seconds" },
                            { "Name": "checks_failed", "Unit": "Count" },
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
                "unsent_found": 0,
                "unsent_sent": 0,
                "unsent_failed": 0,
                "oldest_unsent_s": 0,
                "checks_found": 0,
                "checks_answered": 0,
                "checks_failed": 0,
                "oldest_check_s": 0,
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
        let line = written(Round {
            found: 3,
            done: 1,
            failed: 2,
            oldest_s: 901,
            failure: Some("211/order-1: the queue is down".into()),
            ..Round::QUIET
        });
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["message"], "sweep: some failed");
        assert_eq!(line["oldest_unsent_s"], 901);
        assert_eq!(line["unsent_failed"], 2);
        assert_eq!(line["failure"], "211/order-1: the queue is down");
        let metrics = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        assert_eq!(
            *metrics,
            written(Round::QUIET)["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        );
    }

    #[test]
    fn the_ends_of_checkouts_are_counted_by_their_events() {
        let now = Timestamp::from_millis(1_562_059_700_123);
        let swept = Swept {
            unsent: Round::QUIET,
            asked: Round::QUIET,
            expired: Round {
                found: 3,
                done: 2,
                failed: 1,
                events: vec![EventKind::CheckoutExpired],
                ..Round::QUIET
            },
            erased: Round::QUIET,
            overdue: Round::QUIET,
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
        let line = written(Round {
            in_time: false,
            ..Round::QUIET
        });
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "sweep: not done in time");
    }
}
