//! Retries events that wait in the backlog of an endpoint.

use std::time::Duration;

use tokio::time::Instant;

use super::backlog::contention;
use super::post::{Found, Try};
use super::{Deliverer, Readable};
use crate::log::Line;
use crate::model::ids::PaymentKey;
use crate::model::webhook::{Admission, Backlog, Claim, Conclusion, End, Endpoint, Health, Reason};
use crate::ports::{
    Clock, DeliveryOutcome, DeliveryStore, EndpointStore, PaymentStore, Replaced, Retry,
    RetryAction, StoreError, WebhookSender,
};
use crate::service::backoff;

/// No delivery starts later than this before the deadline. A delivery takes at most 15 s, and its writes some more.
const DELIVERY: Duration = Duration::from_secs(18);
/// The message of a retry can arrive this long before the retry is due, because the queue has one delay for all
/// messages, and the delay of a retry has jitter.
const EARLY: Duration = Duration::from_secs(1);

/// The result of a message of retries.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Retried {
    /// The number of delivered events.
    pub delivered: u64,
    /// The number of failed deliveries.
    pub failed: u64,
    /// The number of events that were given up.
    pub given_up: u64,
    /// The number of payments whose retry was not due, was claimed by another message, or may not be made now.
    pub skipped: u64,
    /// The number of payments for which no time was left.
    pub late: u64,
    /// The number of payments whose store failed.
    pub errors: u64,
}

/// The events that a retry delivers.
#[derive(Clone, Copy)]
struct Target<'a> {
    endpoint: &'a Endpoint,
    payment: &'a PaymentKey,
    action: RetryAction,
    deadline: Instant,
}

/// The state of one retry.
struct Progress<'a> {
    claim: Claim,
    /// The first event that is not done.
    next: u64,
    /// The last known event.
    through: u64,
    retried: &'a mut Retried,
}

impl Progress<'_> {
    fn is_at_start(&self) -> bool {
        self.next == self.claim.held().next
    }
}

/// What a retry does after an event.
enum Step {
    /// It goes on with the next event.
    GoOn,
    /// It ends. The event is done.
    EndAfter,
    /// It ends. The event is not done.
    EndBefore(End),
}

impl<E, D, C, S, W, Q> Deliverer<'_, E, D, C, S, W, Q>
where
    E: EndpointStore,
    D: DeliveryStore,
    C: Clock,
    S: PaymentStore,
    W: WebhookSender,
{
    /// Retries the payments of a message, one after another.
    pub async fn retry(&self, message: &Retry, deadline: Instant) -> Retried {
        let mut retried = Retried::default();
        let is_valid = self.webhooks.clock.now() <= message.until;
        for (number, id) in message.payments.iter().enumerate() {
            if !is_valid || Instant::now() + DELIVERY > deadline {
                retried.late += message.payments.len().saturating_sub(number) as u64;
                break;
            }
            let project_id = message.endpoint.owner.project_id;
            let Some(payment) = PaymentKey::parse(project_id, id) else {
                continue;
            };
            let done = self.retry_payment(message, &payment, deadline, &mut retried);
            if let Err(error) = done.await {
                retried.errors += 1;
                Line::error("webhook: a retry failed")
                    .with("endpoint", message.endpoint.id.as_str())
                    .with("payment", payment.to_string())
                    .with("error", error.to_string())
                    .write();
            }
        }
        retried
    }

    async fn retry_payment(
        &self,
        message: &Retry,
        payment: &PaymentKey,
        deadline: Instant,
        retried: &mut Retried,
    ) -> Result<(), StoreError> {
        let (webhooks, id) = (self.webhooks, &message.endpoint.id);
        let (endpoint, health, backlog) = webhooks.load(&message.endpoint, payment).await?;
        let now = webhooks.clock.now();
        let (Readable::Yes(endpoint), Some(backlog)) = (endpoint, backlog?) else {
            retried.skipped += 1;
            return Ok(());
        };
        let is_due = backlog.due <= now.after(EARLY);
        let may_start = match message.action {
            RetryAction::GiveUp => health.is_too_old(backlog.since, &webhooks.schedule, now),
            action => health.admit(reason(action)) == Admission::Deliver,
        };
        if !is_due || !may_start {
            retried.skipped += 1;
            return Ok(());
        }
        let claim = backlog.claim(now);
        let claimed =
            webhooks
                .deliveries
                .replace_backlog(id, payment, Some(&backlog), Some(claim.held()));
        if claimed.await? != Replaced::Done {
            retried.skipped += 1;
            return Ok(());
        }
        let target = Target {
            endpoint: &endpoint,
            payment,
            action: message.action,
            deadline,
        };
        let mut known = claim.held().clone();
        let mut progress = Progress {
            next: backlog.next,
            through: backlog.through,
            claim,
            retried,
        };
        let mut health = Some(health);
        loop {
            let end = self
                .retry_events(target, &mut health, &mut progress)
                .await?;
            match self.conclude(target, &progress, &mut known, end).await? {
                Some(through) => progress.through = through,
                None => return Ok(()),
            }
        }
    }

    /// Delivers events until one fails, none is left, or the time is over.
    async fn retry_events(
        &self,
        target: Target<'_>,
        health: &mut Option<Health>,
        progress: &mut Progress<'_>,
    ) -> Result<End, StoreError> {
        while progress.next <= progress.through {
            let is_at_start = progress.is_at_start();
            if !is_at_start && Instant::now() + DELIVERY > target.deadline {
                return Ok(End::Stopped);
            }
            // Another delivery can have switched the endpoint off or opened its breaker.
            let known = match health.take() {
                Some(health) => health,
                None => {
                    let id = &target.endpoint.key.id;
                    self.webhooks.deliveries.health(id).await?
                }
            };
            let action = match target.action {
                // After a success, the breaker is closed.
                RetryAction::Probe if !is_at_start => RetryAction::Deliver,
                action => action,
            };
            let target = Target { action, ..target };
            match self.step(target, &known, progress).await? {
                Step::GoOn => progress.next = progress.next.saturating_add(1),
                Step::EndAfter => {
                    progress.next = progress.next.saturating_add(1);
                    break;
                }
                Step::EndBefore(end) => return Ok(end),
            }
        }
        Ok(End::Stopped)
    }

    /// Handles the next event.
    async fn step(
        &self,
        target: Target<'_>,
        health: &Health,
        progress: &mut Progress<'_>,
    ) -> Result<Step, StoreError> {
        let Target {
            endpoint, action, ..
        } = target;
        let (webhooks, sequence) = (self.webhooks, progress.next);
        let held = progress.claim.held();
        let is_at_start = progress.is_at_start();
        if is_at_start && health.is_too_old(held.since, &webhooks.schedule, webhooks.clock.now()) {
            self.give_up_next(target, progress, "too_old").await?;
            return Ok(Step::EndAfter);
        }
        if action == RetryAction::GiveUp || health.admit(reason(action)) != Admission::Deliver {
            return Ok(Step::EndBefore(End::Stopped));
        }
        let event = match self.read_event(endpoint, target.payment, sequence).await? {
            Found::Event(event) => event,
            Found::Nothing => return Ok(Step::GoOn),
            Found::Unreadable => {
                self.give_up_next(target, progress, "unreadable").await?;
                return Ok(Step::GoOn);
            }
        };
        let failures = progress.claim.failures_of(sequence);
        let tried = Try {
            event: &event,
            reason: reason(action),
            number: failures,
        };
        let outcome = self.post(endpoint, health, tried).await?;
        match outcome {
            DeliveryOutcome::Delivered(_) => {
                progress.retried.delivered += 1;
                return Ok(Step::GoOn);
            }
            DeliveryOutcome::Gone => return Ok(Step::EndBefore(End::Stopped)),
            _ => progress.retried.failed += 1,
        }
        // A failed probe says that the endpoint fails, and nothing about the event.
        if action == RetryAction::Probe {
            return Ok(Step::EndBefore(End::Stopped));
        }
        let (now, random) = (webhooks.clock.now(), webhooks.clock.random(u64::MAX));
        if let Some(retry_at) = webhooks.schedule.retry_at(failures, now, random) {
            return Ok(Step::EndBefore(End::Failed { retry_at }));
        }
        self.give_up_next(target, progress, &outcome.to_string())
            .await?;
        Ok(Step::EndAfter)
    }

    async fn give_up_next(
        &self,
        target: Target<'_>,
        progress: &mut Progress<'_>,
        error: &str,
    ) -> Result<(), StoreError> {
        let since = match progress.is_at_start() {
            true => progress.claim.held().since,
            false => self.webhooks.clock.now(),
        };
        let (id, payment) = (&target.endpoint.key.id, target.payment);
        self.give_up(id, payment, progress.next, since, error.to_owned())
            .await?;
        progress.retried.given_up += 1;
        Ok(())
    }

    /// Writes the end of a retry. Returns the number of the last event if further events were added in the meantime and
    /// can be delivered at once.
    async fn conclude(
        &self,
        target: Target<'_>,
        progress: &Progress<'_>,
        known: &mut Backlog,
        end: End,
    ) -> Result<Option<u64>, StoreError> {
        let (webhooks, next) = (self.webhooks, progress.next);
        for number in 0..backoff::TRIES {
            let conclusion = progress
                .claim
                .conclude(known, next, end, webhooks.clock.now());
            let has_all = next > progress.through;
            let new = match &conclusion {
                Conclusion::Replace(item) if has_all && item.next == next => {
                    return Ok(Some(item.through));
                }
                Conclusion::Replace(item) => Some(item),
                Conclusion::Delete => None,
                Conclusion::Lost => return Ok(None),
            };
            let id = &target.endpoint.key.id;
            let replaced =
                webhooks
                    .deliveries
                    .replace_backlog(id, target.payment, Some(known), new);
            match replaced.await? {
                Replaced::Done | Replaced::Conflict(None) => return Ok(None),
                Replaced::Conflict(Some(newer)) => *known = newer,
            }
            backoff::pause(&webhooks.clock, number).await;
        }
        Err(contention(target.payment))
    }
}

fn reason(action: RetryAction) -> Reason {
    match action {
        RetryAction::Probe => Reason::Probe,
        RetryAction::Deliver | RetryAction::GiveUp => Reason::Retry,
    }
}
