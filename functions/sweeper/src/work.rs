//! Does the work that the sweeper has handed out. Logs one line for each message, and reports the messages that must
//! stay in the queue.

use std::time::Duration;

use aws::config;
use aws::deadline::deadline;
use aws::environment::{self, Environment, LivePayments};
use aws::gate_http::HttpGate;
use aws::messages::{Batch, Failures, Message};
use aws::prewarm;
use aws::secrets::{CachedProjectKeys, CachedTokenSecret};
use lambda_runtime::{Error, LambdaEvent};
use payments::log::{Line, Metric};
use payments::model::timestamp::Timestamp;
use payments::ports::{Due, Work};
use payments::service::status_poll::StatusPoller;
use payments::service::sweep::batch_run::BatchRun;
use tokio::time::Instant;

use crate::work_line::{self, Kind};

/// Work stops this long before the function's time-out. The time-out of 40 s leaves 35 s for the work. This is
/// sufficient, because a poll takes at most 32 s: the status answer 10 s ([`MAX_CALL`](payments::service::MAX_CALL)),
/// the requests that follow from the answer 20 s, and the store and the queues 2 s.
const RESERVE: Duration = Duration::from_secs(5);

pub struct Worker {
    payments: LivePayments,
    gate: HttpGate,
    keys: CachedProjectKeys,
    tokens: CachedTokenSecret,
    base_url: String,
}

impl Worker {
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            payments: environment.payments()?,
            gate: environment.gate()?,
            keys: environment.project_keys()?,
            tokens: environment.token_secret()?,
            base_url: config::base_url("PUBLIC_BASE_URL")?,
        })
    }

    /// Opens connections and reads secrets before the first message. Most work is a poll, which calls Gate and often
    /// publishes an event.
    pub async fn prewarm(&self) {
        let all = async {
            tokio::join!(
                environment::prewarm(&self.payments),
                self.gate.prewarm(),
                self.keys.prewarm(),
                self.tokens.prewarm(),
            )
        };
        prewarm::within_limit(all).await;
    }

    /// Does the work of the messages, one message after another. Returns the messages that cannot be read, which stay
    /// in the queue. The messages of failed or late work do not stay, because the sweeper hands out the work again
    /// while it is due.
    pub async fn handle(&self, event: LambdaEvent<Batch>) -> Result<Failures, Error> {
        let deadline = deadline(&event.context, RESERVE);
        let mut failures = Failures::default();
        for message in &event.payload.messages {
            if !self.work(message, deadline).await {
                failures.add(message);
            }
        }
        Ok(failures)
    }

    /// Returns `false` if the message cannot be read.
    async fn work(&self, message: &Message, deadline: Instant) -> bool {
        let work: Work = match serde_json::from_str(&message.body) {
            Ok(work) => work,
            Err(error) => {
                Line::error("work: the message cannot be read")
                    .with("message_id", &message.message_id)
                    .with("error", error.to_string())
                    .write();
                return false;
            }
        };
        let payments = &self.payments;
        let (kind, run) = match work {
            Work::Poll { payments, until } => {
                (Kind::Poll, self.poll(payments, until, deadline).await)
            }
            Work::Publish { payments: due } => {
                (Kind::Publish, payments.publish_all(due, deadline).await)
            }
            Work::Expire { payments: due } => {
                (Kind::Expire, payments.expire_all(due, deadline).await)
            }
            Work::Erase { payments: due } => (Kind::Erase, payments.erase_all(due, deadline).await),
            // `Part` belongs to another queue. `Unknown` was handed out by a newer release. While the work is due, the
            // newer release hands it out again, and does it.
            Work::Part { .. } | Work::Unknown => {
                Line::warn("work: the kind of the message is unknown")
                    .with("message_id", &message.message_id)
                    .with_metrics(&[], &[Metric::once("unknown_work")])
                    .write();
                return true;
            }
        };
        work_line::line(kind, &run).write();
        true
    }

    async fn poll(&self, due: Vec<Due>, until: Option<Timestamp>, deadline: Instant) -> BatchRun {
        match tokio::try_join!(self.keys.get(), self.tokens.get()) {
            Ok((keys, tokens)) => {
                let poller = StatusPoller {
                    payments: &self.payments,
                    gate: &self.gate.with_keys(&self.keys),
                    keys: &keys,
                    tokens,
                    base_url: &self.base_url,
                };
                poller.poll_all(due, until, deadline).await
            }
            Err(error) => BatchRun::of_failure(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws::dynamodb::DynamoStore;
    use lambda_runtime::Context;
    use payments::Payments;
    use payments::model::schedule::Schedule;
    use payments::ports::SystemClock;
    use serde_json::json;
    use wire::{TABLE, Wire};

    use super::*;

    #[tokio::test]
    async fn only_a_message_that_cannot_be_read_stays_in_the_queue() {
        let wire = Wire::start().await.unwrap();
        let worker = Worker {
            payments: Payments {
                store: DynamoStore::new(wire.config(), TABLE),
                queues: Vec::new(),
                clock: SystemClock,
                schedule: Schedule::default(),
            },
            gate: HttpGate::new("https://gate.example").unwrap(),
            keys: CachedProjectKeys::new(wire.config(), "keys"),
            tokens: CachedTokenSecret::new(wire.config(), "token"),
            base_url: "https://pay.example".into(),
        };
        // The secrets are missing, so the poll fails. The deadline has passed, so the other work is late.
        let since = "2026-01-01T00:00:00.000Z";
        let due = json!([{ "project_id": 211, "payment_id": "order-1", "since": since }]);
        let mut bodies: Vec<String> = ["poll", "publish", "expire", "erase", "later"]
            .map(|kind| json!({ "kind": kind, "payments": due }).to_string())
            .into();
        bodies.push("{".to_owned());
        let messages = bodies.into_iter().zip('a'..).map(|(body, id)| Message {
            message_id: id.to_string(),
            body,
            attributes: BTreeMap::new(),
            message_attributes: BTreeMap::new(),
        });
        let batch = Batch {
            messages: messages.collect(),
        };
        let event = LambdaEvent::new(batch, Context::default());
        let failures = worker.handle(event).await.unwrap();
        let expected = json!({ "batchItemFailures": [{ "itemIdentifier": "f" }] });
        assert_eq!(json!(failures), expected);
    }
}
