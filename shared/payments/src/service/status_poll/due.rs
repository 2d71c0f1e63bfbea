//! Polls the platform about the payments that are due by the schedule.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::error::PollError;
use super::poller::StatusPoller;
use crate::decide::Command;
use crate::events::EventKind;
use crate::log::{Line, Metric};
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::{Channel, GateRequest, Payment};
use crate::ports::{Clock, EventQueue, Gate, Index, PaymentStore};
use crate::service::error::ApplyError;
use crate::service::sweep::batch_run::{BatchLimits, BatchRun, Unfinished};

/// The maximum number of payments of all projects that are polled in parallel. The limit protects the platform.
const CONCURRENCY: usize = 4;
/// The time that is reserved for the last poll of a run. No poll starts in the last 32 s of the run. In a run that is
/// shorter than 64 s, no poll starts in the second half. The status answer can take 10 s
/// ([`MAX_CALL`](crate::service::MAX_CALL)), and the requests that follow from it 20 s. The store and the queues need
/// up to 2 s. If the deadline cuts off a claimed poll, the payment waits for its next poll.
const LONGEST_POLL: Duration = Duration::from_secs(32);

impl<S, Q, C, G> StatusPoller<'_, S, Q, C, G>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    G: Gate + Sync,
{
    /// Polls the platform about every payment that is due. Each project with due payments has the same share of the
    /// requests. A project with many due payments does not delay the other projects.
    pub async fn poll_all(&self, deadline: Instant) -> BatchRun {
        let due_by = self.payments.clock.now();
        let left = deadline.saturating_duration_since(Instant::now());
        let start_until = deadline - LONGEST_POLL.min(left / 2);
        // The semaphore is fair, and at most `CONCURRENCY` payments of each project wait for it.
        let (permits, next_request) = (Semaphore::new(CONCURRENCY), Mutex::new(Instant::now()));
        let runs = self.keys.keys().map(|project_id| {
            let (permits, next_request) = (&permits, &next_request);
            let task = move |key: PaymentKey| async move {
                // The payment is read before the wait for a permit and an interval. So even hundreds of payments that
                // cannot be read delay no poll.
                let readable = self.payments.store.load(&key).await;
                readable.map_err(ApplyError::from)?;
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

    /// Polls the platform about one payment, if a poll is due at or before `due_by`, and applies the answer. Returns
    /// the kinds of the events that were published. A failed poll is not repeated: the next poll follows at its
    /// scheduled time.
    pub async fn poll(
        &self,
        key: &PaymentKey,
        due_by: Timestamp,
    ) -> Result<Vec<EventKind>, PollError> {
        let schedule = &self.payments.schedule;
        let claim = self.claim(key, Command::Poll { schedule, due_by });
        let Some(claim) = claim.await? else {
            return Ok(Vec::new());
        };
        if is_first_poll_without_callback(&claim.payment) {
            Line::warn("no callback has arrived for a checkout")
                .with("payment", key.to_string())
                .with_metrics(&[], &[Metric::once("sales_without_callback")])
                .write();
        }
        match self.poll_claimed(claim).await {
            // A repeat would have the same answer, so this is no failure of the poll. Callbacks still count, and the
            // schedule ends the polling. It plans no poll of a payment whose id cannot be signed.
            Err(PollError::TooLarge | PollError::NotSignable) => Ok(Vec::new()),
            polled => polled,
        }
    }
}

/// Whether the claimed poll is the first status request about an accepted Gate sale without any report. The first
/// request is the poll for the redirect URL, unless the first poll of the schedule is due earlier.
fn is_first_poll_without_callback(payment: &Payment) -> bool {
    let order = payment.order();
    let is_gate = order.is_some_and(|order| order.channel == Channel::Gate);
    let is_accepted = matches!(payment.attempt().request(), GateRequest::Accepted { .. });
    let has_no_report = payment.has_no_report_of_attempt();
    let is_first = match payment.is_polled_for_redirect() {
        true => payment.polling().polls_since_activity() == 0,
        false => payment.polling().polls_since_activity() == 1,
    };
    is_gate && is_accepted && has_no_report && is_first
}
