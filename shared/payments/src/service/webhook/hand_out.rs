//! Hands out the due retries of all endpoints.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::Webhooks;
use super::plan::{self, MAX_PAYMENTS};
use crate::model::webhook::EndpointState;
use crate::ports::{
    Clock, Delivery, DeliveryMessage, DeliveryQueue, DeliveryStore, EndpointStore, Listed,
    StoreError,
};

/// The maximum number of endpoints whose backlogs are read in parallel.
const CONCURRENCY: usize = 16;
/// An endpoint without a backlog stays on the list for this long. It is much longer than the time between the writes of
/// the list and of the backlog, and longer than the index of waiting payments needs for a change.
const STAYS_LISTED: Duration = Duration::from_secs(600);
/// The maximum number of messages in one call of the queue.
const BATCH: usize = 40;

/// The result of a run.
#[derive(Debug, Default, Serialize)]
pub struct HandedOut {
    /// The number of endpoints with a backlog.
    pub endpoints: u64,
    /// The number of these endpoints whose breaker is open.
    pub breakers_open: u64,
    /// The number of these endpoints that have failed for at least a day.
    pub failing_a_day: u64,
    /// The number of these endpoints that are not switched on.
    pub switched_off: u64,
    /// The number of payments that were handed out.
    pub payments: u64,
    /// The age of the oldest wait for an endpoint that is switched on, in seconds.
    pub oldest_s: u64,
    /// The number of failures.
    pub failed: u64,
    /// The first failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Whether all endpoints were handled before the deadline.
    pub in_time: bool,
}

#[derive(Default)]
struct OfEndpoint {
    messages: Vec<DeliveryMessage>,
    is_breaker_open: bool,
    has_failed_for_a_day: bool,
    is_switched_off: bool,
    oldest_s: u64,
}

impl HandedOut {
    fn fail(&mut self, error: impl ToString) {
        self.failed += 1;
        self.failure.get_or_insert_with(|| error.to_string());
    }

    fn add(&mut self, endpoint: &OfEndpoint) {
        self.breakers_open += u64::from(endpoint.is_breaker_open);
        self.failing_a_day += u64::from(endpoint.has_failed_for_a_day);
        self.switched_off += u64::from(endpoint.is_switched_off);
        self.oldest_s = self.oldest_s.max(endpoint.oldest_s);
    }
}

impl<E, D, C> Webhooks<E, D, C>
where
    E: EndpointStore + Sync,
    D: DeliveryStore + Sync,
    C: Clock + Sync,
{
    /// Hands out the due retries of all endpoints with a backlog. A message that is not handed out, or lost, is handed
    /// out by a later run.
    pub async fn hand_out<Q: DeliveryQueue>(&self, queue: &Q, deadline: Instant) -> HandedOut {
        let mut run = HandedOut {
            in_time: true,
            ..HandedOut::default()
        };
        let mut listed = match self.deliveries.listed().await {
            Ok(listed) => listed,
            Err(error) => {
                run.fail(error);
                return run;
            }
        };
        run.endpoints = listed.len() as u64;
        // Each run starts with another endpoint, so a run that is too short does not always leave out the same ones.
        let start = self.clock.random(run.endpoints.max(1));
        listed.rotate_left(usize::try_from(start).unwrap_or_default());
        let count = listed.len();
        let plans = stream::iter(listed).map(|listed| self.plan(listed));
        let plans = plans.buffer_unordered(CONCURRENCY);
        let plans: Vec<_> = plans.take_until(sleep_until(deadline)).collect().await;
        run.in_time &= plans.len() == count;
        let mut messages = Vec::new();
        for plan in plans {
            match plan {
                Ok(mut plan) => {
                    run.add(&plan);
                    messages.push(std::mem::take(&mut plan.messages));
                }
                Err(error) => run.fail(error),
            }
        }
        for batch in plan::take_turns(messages).chunks(BATCH) {
            if Instant::now() >= deadline {
                run.in_time = false;
                return run;
            }
            for (message, result) in batch.iter().zip(queue.send(batch).await) {
                match result {
                    Ok(()) => run.payments += payments(message),
                    Err(error) => run.fail(error),
                }
            }
        }
        run
    }

    async fn plan(&self, listed: Listed) -> Result<OfEndpoint, StoreError> {
        let id = &listed.key.id;
        let (endpoint, health, waiting) = tokio::try_join!(
            self.endpoints.endpoint(&listed.key),
            self.deliveries.health(id),
            self.deliveries.waiting(id, MAX_PAYMENTS),
        )?;
        let now = self.clock.now();
        let is_removed = endpoint.is_none();
        if (is_removed || waiting.is_empty()) && now.since(listed.at) > STAYS_LISTED {
            self.deliveries.unlist(&listed).await?;
        }
        if is_removed {
            return Ok(OfEndpoint::default());
        }
        let random = self.clock.random(u64::MAX);
        let is_enabled = health.state == EndpointState::Enabled;
        let oldest = waiting.iter().map(|entry| entry.since).min();
        let oldest = oldest.filter(|_| is_enabled);
        Ok(OfEndpoint {
            messages: plan::messages(&listed.key, &health, &self.schedule, &waiting, now, random),
            is_breaker_open: is_enabled && health.is_breaker_open(),
            has_failed_for_a_day: health.has_failed_for_a_day(now),
            is_switched_off: !is_enabled,
            oldest_s: oldest.map_or(0, |since| now.since(since).as_secs()),
        })
    }
}

fn payments(message: &DeliveryMessage) -> u64 {
    match &message.delivery {
        Delivery::Retry(retry) => retry.payments.len() as u64,
        Delivery::FirstTry(_) => 1,
    }
}
