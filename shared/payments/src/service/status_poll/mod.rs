//! Status polls: asks the platform about payments that are open or need a recheck, and acts on the answer.

mod conclude;
mod now;
mod request;

use std::time::Duration;

use ecommpay::Keyring;
use ecommpay::fields::ProjectId;
use ecommpay::json::JsonError;
use futures_util::future::join_all;
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep_until};

pub use self::now::{Found, PollResult};
use self::request::StatusReply;
use super::commit::{self, Payments};
use super::error::{ApplyError, PublishError};
use super::project_keys::ProjectKeys;
use super::sweep::batch_run::{BatchLimits, BatchRun, Unfinished};
use crate::decide::{Command, Fact};
use crate::events::{EventKind, metrics};
use crate::log::{Line, Metric};
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::{Channel, GateRequest, Payment};
use crate::ports::{Clock, EventQueue, Gate, Index, NoAnswer, PaymentStore};
use crate::service::checkout::token::TokenSecret;

/// The most status requests in parallel, so that the platform is not flooded.
const CONCURRENCY: usize = 4;
/// The longest time for one payment: the platform's answer, and one request that follows from it, 8 s each. A
/// claimed poll that is cut off is lost until the next one.
const LONGEST_POLL: Duration = Duration::from_secs(18);

/// A status poll had no usable result. The next one is already scheduled.
#[derive(Debug, Error)]
pub enum PollError {
    /// We have no key of the payment's project.
    #[error("there is no key of its project")]
    NoKey,
    /// The payment's id contains characters that cannot be signed unambiguously.
    #[error("its id cannot be signed")]
    NotSignable,
    /// The platform did not answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The answer is not valid JSON.
    #[error("the answer is not valid: {0}")]
    NotValid(#[from] JsonError),
    /// No key of the project signed the answer.
    #[error("the answer is not signed")]
    NotSigned,
    /// The platform has the payment and cannot show it yet.
    #[error("the platform cannot show the payment yet (3062)")]
    NotReadable,
    /// The poll could not be claimed, or its answer could not be committed.
    #[error(transparent)]
    NotCommitted(#[from] ApplyError),
    /// The answer is committed, but its events are not published.
    #[error(transparent)]
    NotPublished(#[from] PublishError),
}

/// Polls payments, and sends requests again that never reached the platform.
#[derive(Debug)]
pub struct StatusPoller<'a, S, Q, C, G> {
    /// The payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The platform's Gate.
    pub gate: &'a G,
    /// The keys of every project.
    pub keys: &'a ProjectKeys,
    /// The secret of checkout tokens.
    pub tokens: &'a TokenSecret,
    /// The public address of this service, without a trailing slash.
    pub base_url: &'a str,
    /// The least time between two status requests. The platform documents no limit, so we set one.
    pub min_interval: Duration,
}

impl<S, Q, C, G> StatusPoller<'_, S, Q, C, G>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    G: Gate + Sync,
{
    /// Polls every payment that is due. Projects share the requests evenly, however many payments one of
    /// them has.
    pub async fn poll_all(&self, deadline: Instant) -> BatchRun {
        let due_by = self.payments.clock.now();
        let left = deadline.saturating_duration_since(Instant::now());
        let start_until = deadline - LONGEST_POLL.min(left / 2);
        // The semaphore is fair, and at most `CONCURRENCY` payments of each project wait for it.
        let (permits, next_request) = (Semaphore::new(CONCURRENCY), Mutex::new(Instant::now()));
        let runs = self.keys.keys().map(|project_id| {
            let (permits, next_request) = (&permits, &next_request);
            let task = move |key: PaymentKey| async move {
                let _permit = permits.acquire().await;
                self.wait_for_interval(next_request).await;
                match Instant::now() < start_until {
                    true => Ok(self.poll(&key, due_by).await?),
                    false => Err(Unfinished::Late),
                }
            };
            let limits = BatchLimits {
                start_until,
                ..BatchLimits::until(deadline, CONCURRENCY)
            };
            let index = Index::Poll(*project_id);
            self.payments.run_batch(index, due_by, limits, task)
        });
        join_all(runs).await.into_iter().collect()
    }

    async fn wait_for_interval(&self, next_request: &Mutex<Instant>) {
        if self.min_interval.is_zero() {
            return;
        }
        let mut next_request = next_request.lock().await;
        sleep_until(*next_request).await;
        *next_request = Instant::now() + self.min_interval;
    }

    /// Polls one payment, if it is due at or before `due_by`, and applies the answer. Returns the events that were
    /// published.
    pub async fn poll(
        &self,
        key: &PaymentKey,
        due_by: Timestamp,
    ) -> Result<Vec<EventKind>, PollError> {
        let payments = self.payments;
        let schedule = &payments.schedule;
        // The claim comes first: of two parallel runs only one polls, and a failed poll waits for its
        // next time.
        let claimed = payments.execute(key, Command::Poll { schedule, due_by });
        let Some((mut stored, Some(change))) = claimed.await? else {
            return Ok(Vec::new());
        };
        let published = payments.publish(&mut stored, change.events).await;
        let mut events = published.unwrap_or_else(|error| {
            commit::warn_not_published(key, &error);
            Vec::new()
        });
        if is_first_poll_without_callback(&stored.payment) {
            Line::warn("no callback has arrived for a checkout")
                .with("payment", key.to_string())
                .with_metrics(&[], &[Metric::once("sales_without_callback")])
                .write();
        }
        let polled = self.poll_claimed(&stored.payment, &mut events);
        if let Err(error) = polled.await {
            metrics::count(key, &events);
            return Err(error);
        }
        Ok(events)
    }

    /// Sends the status request that was claimed, and applies the answer. Adds the events that were
    /// published.
    async fn poll_claimed(
        &self,
        payment: &Payment,
        events: &mut Vec<EventKind>,
    ) -> Result<(), PollError> {
        let keyring = self.keyring(payment.project_id())?;
        let reply = self.request_status(payment.project_id(), payment.payment_id());
        let reply = reply.await?;
        let poll = payment.polling().polls_sent();
        let fact = match &reply {
            StatusReply::Report(signed) => Fact::StatusAnswer {
                report: signed.report(),
                poll,
            },
            StatusReply::NotFound { signed } => Fact::NotFound {
                poll,
                signed: *signed,
            },
            StatusReply::Unrelated => return Ok(()),
        };
        let Some(applied) = self.payments.apply(&payment.key(), fact).await? else {
            return Ok(());
        };
        // A queue that fails must not stop the requests that follow.
        let published = applied.published.map(|published| events.extend(published));
        let after = applied.payment;
        warn_if_redirect_is_lost(payment, &after);
        // Only an answer that was applied proves anything about our requests.
        if after.polling().last_answered() == poll {
            self.repeat_refunds(&after, keyring, events).await?;
        }
        if after.polling().last_not_found() == poll {
            self.conclude_sale(&after, keyring, events).await?;
        }
        Ok(published?)
    }

    fn keyring(&self, project_id: ProjectId) -> Result<&Keyring, PollError> {
        self.keys.get(&project_id).ok_or(PollError::NoKey)
    }
}

/// Whether this is the first status request about a Gate sale without a callback: the poll for the redirect
/// URL, or the first poll of the schedule if that one comes earlier.
fn is_first_poll_without_callback(payment: &Payment) -> bool {
    let order = payment.order();
    let is_gate = order.is_some_and(|order| order.channel == Channel::Gate);
    let is_accepted = matches!(payment.attempt().request(), GateRequest::Accepted { .. });
    let has_no_report = payment.platform_status().is_none() && payment.operations().len() == 0;
    let is_first = match payment.is_polled_for_redirect() {
        true => payment.polling().polls_since_activity() == 0,
        false => payment.polling().polls_since_activity() == 1,
    };
    is_gate && is_accepted && has_no_report && is_first
}

/// Warns if the answer says that the shopper must pay at the bank, but no report has the redirect URL. Its
/// callback is lost, and the shopper cannot pay.
fn warn_if_redirect_is_lost(before: &Payment, after: &Payment) {
    if after.is_redirect_missing() && !before.is_redirect_missing() {
        Line::warn("redirect_lost")
            .with("payment", after.key().to_string())
            .with_metrics(&[], &[Metric::once("redirect_lost")])
            .write();
    }
}
