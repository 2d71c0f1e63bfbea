//! Posts one event to one endpoint once, and counts the outcome.

use tokio::time::Instant;

use super::Deliverer;
use crate::events::Event;
use crate::log::{Line, Metric, Unit};
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::webhook::health::BREAKER;
use crate::model::webhook::{DisabledBy, Endpoint, EndpointId, Health, Reason};
use crate::ports::{
    Clock, DeadLetter, DeliveryOutcome, DeliveryStore, PaymentStore, StoreError, WebhookSender,
};

/// What [`Deliverer::read_event`] found.
#[derive(Debug)]
pub(super) enum Found {
    /// An event that the endpoint wants.
    Event(Box<Event>),
    /// Nothing to deliver: the event has expired, or the endpoint does not want it.
    Nothing,
    /// An event that cannot be read. An operator must repair it.
    Unreadable,
}

/// One try of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try<'a> {
    pub(super) event: &'a Event,
    pub(super) reason: Reason,
    /// The number of the try of this event, from 1.
    pub(super) number: u32,
}

impl<E, D, C, S, W, Q> Deliverer<'_, E, D, C, S, W, Q>
where
    D: DeliveryStore,
    C: Clock,
    S: PaymentStore,
    W: WebhookSender,
{
    /// Reads an event of a payment.
    pub(super) async fn read_event(
        &self,
        endpoint: &Endpoint,
        payment: &PaymentKey,
        sequence: u64,
    ) -> Result<Found, StoreError> {
        let read = self.payments.events(payment, sequence, sequence).await;
        let Some(events) = StoreError::pass_over(read)? else {
            return Ok(Found::Unreadable);
        };
        let event = events.into_iter().next();
        let wanted = event.filter(|event| endpoint.wants(event.kind.as_str()));
        Ok(wanted.map_or(Found::Nothing, |event| Found::Event(event.into())))
    }

    /// Posts an event. `health` is the endpoint's health before the try.
    pub(super) async fn post(
        &self,
        endpoint: &Endpoint,
        health: &Health,
        tried: Try<'_>,
    ) -> Result<DeliveryOutcome, StoreError> {
        let Try { event, .. } = tried;
        let now = self.webhooks.clock.now();
        let signed = endpoint.sign(self.master, &event.id, event.body.clone(), now);
        let started = Instant::now();
        let outcome = self.sender.send(&endpoint.url, &signed).await;
        log(endpoint, tried, outcome, started);
        let (deliveries, id) = (&self.webhooks.deliveries, &endpoint.key.id);
        let now = self.webhooks.clock.now();
        match outcome {
            DeliveryOutcome::Delivered(_) if health.failures > 0 => {
                deliveries.count_success(id).await?;
            }
            DeliveryOutcome::Delivered(_) => {}
            DeliveryOutcome::Gone => {
                if deliveries.disable(id, now, DisabledBy::Endpoint).await? {
                    Line::warn("webhook: an endpoint answered 410 and is switched off")
                        .with("endpoint", id.as_str())
                        .with("storefront", &endpoint.key.owner.storefront)
                        .with_metrics(&[], &[Metric::once("endpoints_switched_off")])
                        .write();
                }
            }
            _ => {
                let health = deliveries.count_failure(id, now).await?;
                if health.failures == BREAKER {
                    Line::warn("webhook: an endpoint failed too often and gets only probes")
                        .with("endpoint", id.as_str())
                        .with("storefront", &endpoint.key.owner.storefront)
                        .with_metrics(&[], &[Metric::once("endpoint_breakers_opened")])
                        .write();
                }
            }
        }
        Ok(outcome)
    }

    /// Stores that an event is given up.
    pub(super) async fn give_up(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
        sequence: u64,
        since: Timestamp,
        error: String,
    ) -> Result<(), StoreError> {
        let letter = DeadLetter {
            payment: payment.clone(),
            sequence,
            since,
            at: self.webhooks.clock.now(),
            error,
        };
        self.webhooks
            .deliveries
            .put_dead_letter(id, &letter)
            .await?;
        Line::warn("webhook: an event was given up")
            .with("endpoint", id.as_str())
            .with("payment", payment.to_string())
            .with("sequence", sequence)
            .with("error", &letter.error)
            .with_metrics(&[], &[Metric::once("webhook_dead_letters")])
            .write();
        Ok(())
    }
}

/// Writes the log line of a delivery. It has the host of the URL only, because a path or a query can contain a secret.
fn log(endpoint: &Endpoint, tried: Try<'_>, outcome: DeliveryOutcome, started: Instant) {
    let line = match outcome.is_delivered() {
        true => Line::info("webhook: delivered"),
        false => Line::info("webhook: not delivered"),
    };
    let millis = started.elapsed().as_millis();
    let count = match outcome.is_delivered() {
        true => "webhooks_delivered",
        false => "webhooks_failed",
    };
    let duration = Metric {
        name: "webhook_duration_ms",
        unit: Unit::Milliseconds,
        value: u64::try_from(millis).unwrap_or(u64::MAX),
    };
    line.with("endpoint", endpoint.key.id.as_str())
        .with("host", endpoint.url.host())
        .with("payment", tried.event.key.to_string())
        .with("event", &tried.event.id)
        .with("type", tried.event.kind.as_str())
        .with("reason", tried.reason.as_str())
        .with("try", tried.number)
        .with("outcome", outcome.as_str())
        .with("status", outcome.status())
        .with_metrics(&[], &[Metric::once(count), duration])
        .write();
}
