//! Makes the first try of an event. If it fails or may not be made, the event waits in the backlog, so that its message
//! can leave the queue.

use std::time::Duration;

use super::backlog::Added;
use super::post::{Found, Try};
use super::{Deliverer, Readable};
use crate::log::Line;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::webhook::{Admission, Backlog, EndpointKey, Reason};
use crate::ports::{
    Clock, DeliveryMessage, DeliveryOutcome, DeliveryQueue, DeliveryStore, EndpointStore, FirstTry,
    PaymentStore, Retry, RetryAction, StoreError, WebhookSender, retry_group,
};

/// An event that has waited in the queue for longer than this is not tried, but waits in the backlog. So a slow endpoint
/// never fills the queue.
const MAX_QUEUED: Duration = Duration::from_secs(60);
/// How long after its due time the message of a retry is valid.
pub(super) const RETRY_VALID: Duration = Duration::from_secs(60);

/// The result of the first try of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstTried {
    /// The endpoint accepted the event.
    Delivered,
    /// The try failed, and the event waits in the backlog.
    Failed,
    /// The event waits in the backlog without a try.
    Waiting,
    /// The endpoint was switched off, by this try or before.
    SwitchedOff,
    /// There was nothing to deliver: the endpoint was removed, does not want the event, or the event has expired.
    Nothing,
    /// The event is a dead letter.
    GivenUp,
}

impl<E, D, C, S, W, Q> Deliverer<'_, E, D, C, S, W, Q>
where
    E: EndpointStore,
    D: DeliveryStore,
    C: Clock,
    S: PaymentStore,
    W: WebhookSender,
    Q: DeliveryQueue,
{
    /// Makes the first try of an event whose message was sent at the time `sent_at`. After an error, the message must be
    /// delivered again.
    pub async fn first_try(
        &self,
        message: &FirstTry,
        sent_at: Timestamp,
    ) -> Result<FirstTried, StoreError> {
        let FirstTry {
            endpoint: key,
            sequence,
            ..
        } = message;
        let sequence = *sequence;
        let payment = message.payment();
        let payment =
            payment.ok_or_else(|| StoreError::Failed("the message has no payment".into()))?;
        let (webhooks, id) = (self.webhooks, &key.id);
        let (endpoint, health, backlog) = webhooks.load(key, &payment).await?;
        let endpoint = match endpoint {
            Readable::Yes(endpoint) => Some(endpoint),
            Readable::Removed => return Ok(FirstTried::Nothing),
            Readable::No => None,
        };
        let admission = health.admit(Reason::FirstTry);
        if admission == Admission::Drop {
            return Ok(FirstTried::SwitchedOff);
        }
        let Some(backlog) = StoreError::pass_over(backlog)? else {
            // The event cannot wait behind the earlier events, and must not overtake them.
            let error = "unreadable backlog".to_owned();
            let now = webhooks.clock.now();
            self.give_up(id, &payment, sequence, now, error).await?;
            return Ok(FirstTried::GivenUp);
        };
        if let Some(stored) = backlog {
            let added = webhooks.add_to(id, &payment, stored, sequence, sequence);
            if added.await? == Added::Yes {
                return Ok(FirstTried::Waiting);
            }
            // A retry has delivered all earlier events, so this event is the next.
        }
        let now = webhooks.clock.now();
        let is_in_time = now.since(sent_at) <= MAX_QUEUED;
        let may_try = admission == Admission::Deliver && is_in_time;
        let Some(endpoint) = endpoint.filter(|_| may_try) else {
            let item = Backlog::of(sequence, sequence, now);
            webhooks.add(key, &payment, &item).await?;
            return Ok(FirstTried::Waiting);
        };
        let event = match self.read_event(&endpoint, &payment, sequence).await? {
            Found::Event(event) => event,
            Found::Nothing => return Ok(FirstTried::Nothing),
            Found::Unreadable => {
                let error = "unreadable".to_owned();
                self.give_up(id, &payment, sequence, now, error).await?;
                return Ok(FirstTried::GivenUp);
            }
        };
        let tried = Try {
            event: &event,
            reason: Reason::FirstTry,
            number: 1,
        };
        match self.post(&endpoint, &health, tried).await? {
            DeliveryOutcome::Delivered(_) => Ok(FirstTried::Delivered),
            DeliveryOutcome::Gone => {
                // The endpoint has not accepted this event, so it is delivered when the endpoint is switched on again.
                let item = Backlog::of(sequence, sequence, webhooks.clock.now());
                webhooks.add(key, &payment, &item).await?;
                Ok(FirstTried::SwitchedOff)
            }
            outcome => {
                let now = webhooks.clock.now();
                let random = webhooks.clock.random(u64::MAX);
                let Some(retry_at) = webhooks.schedule.retry_at(1, now, random) else {
                    let error = outcome.to_string();
                    self.give_up(id, &payment, sequence, now, error).await?;
                    return Ok(FirstTried::GivenUp);
                };
                let item = Backlog::after_failure(sequence, now, retry_at);
                webhooks.add(key, &payment, &item).await?;
                self.send_retry(key, &payment, retry_at).await;
                Ok(FirstTried::Failed)
            }
        }
    }

    /// Sends the message of the first retry, which the queue holds back for its own delay. If the message is lost, the
    /// next run hands the retry out.
    async fn send_retry(&self, endpoint: &EndpointKey, payment: &PaymentKey, retry_at: Timestamp) {
        let retry = Retry {
            endpoint: endpoint.clone(),
            payments: vec![payment.folded_id().to_owned()],
            action: RetryAction::Deliver,
            until: retry_at.after(RETRY_VALID),
        };
        let now = self.webhooks.clock.now();
        let message = DeliveryMessage::retry(retry, retry_group(payment), now);
        for result in self.retries.send(&[message]).await {
            if let Err(error) = result {
                Line::warn("webhook: the first retry is late, because its message was not sent")
                    .with("endpoint", endpoint.id.as_str())
                    .with("payment", payment.to_string())
                    .with("error", error.to_string())
                    .write();
            }
        }
    }
}
