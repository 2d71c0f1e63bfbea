//! Sends the status polls that the schedule makes due.

use super::error::PollError;
use super::poller::StatusPoller;
use crate::decide::Command;
use crate::events::EventKind;
use crate::log::{Line, Metric};
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::{Channel, GateRequest, Payment};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};

impl<S, Q, C, G> StatusPoller<'_, S, Q, C, G>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    G: Gate + Sync,
{
    /// Polls the platform about one payment if a poll is due at or before `due_by`, and applies the answer. Returns
    /// the kinds of the published events. A failed poll is not repeated before the next scheduled poll.
    pub async fn poll(
        &self,
        key: &PaymentKey,
        due_by: Timestamp,
    ) -> Result<Vec<EventKind>, PollError> {
        let polled = self.poll_if_due(key, due_by).await?;
        Ok(polled.unwrap_or_default())
    }

    /// Does the work of [`Self::poll`]. Returns `None` if no poll is due.
    pub(crate) async fn poll_if_due(
        &self,
        key: &PaymentKey,
        due_by: Timestamp,
    ) -> Result<Option<Vec<EventKind>>, PollError> {
        let schedule = &self.payments.schedule;
        let claim = self.claim(key, Command::Poll { schedule, due_by });
        let Some(claim) = claim.await? else {
            return Ok(None);
        };
        if is_first_poll_without_callback(&claim.payment) {
            Line::warn("no callback has arrived for a checkout")
                .with("payment", key.to_string())
                .with_metrics(&[], &[Metric::once("sales_without_callback")])
                .write();
        }
        match self.poll_claimed(claim).await {
            // A repeat would have the same result, so the poll does not count as failed. The schedule ends the
            // polling.
            Err(PollError::TooLarge | PollError::NotSignable) => Ok(Some(Vec::new())),
            polled => polled.map(Some),
        }
    }
}

/// Whether the claimed poll is the first poll about an accepted Gate sale without any report. The first poll is the
/// poll for the redirect URL, or else the first poll of the schedule.
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
