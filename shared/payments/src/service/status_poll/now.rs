//! Polls the platform when an operator requests it, without a change of the schedule.

use super::error::PollError;
use super::poller::StatusPoller;
use super::request::StatusReply;
use crate::decide::{Command, Fact};
use crate::events::EventKind;
use crate::log::over_limit;
use crate::model::ids::PaymentKey;
use crate::model::{Payment, is_storable};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};
use crate::service::error::{ApplyError, left_to_sweep};

/// The result of a status poll for an operator.
#[derive(Debug)]
pub struct PollResult {
    /// The payment before the answer; `None` if it was not stored.
    pub before: Option<Payment>,
    /// The payment after the answer; `None` if it is still not stored.
    pub payment: Option<Payment>,
    /// What the platform's answer lists.
    pub found: Found,
    /// The kinds of the events that were published.
    pub published: Vec<EventKind>,
}

impl PollResult {
    fn without_payment(found: Found) -> Self {
        Self {
            before: None,
            payment: None,
            found,
            published: Vec::new(),
        }
    }
}

/// What the platform's answer lists about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// At least one operation.
    Operations,
    /// Nothing: the platform answered "not found".
    Nothing,
    /// Neither operations nor "not found". For example, the answer names another payment.
    Unclear,
}

impl<S, Q, C, G> StatusPoller<'_, S, Q, C, G>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    G: Gate + Sync,
{
    /// Polls the platform about any payment and applies the answer. The payment need not be open, due or even stored.
    pub async fn poll_now(&self, key: &PaymentKey) -> Result<PollResult, PollError> {
        let Some(claim) = self.claim(key, Command::PollNow).await? else {
            return self.poll_unknown(key).await;
        };
        let before = claim.payment.clone();
        let published = self.poll_claimed(claim).await?;
        let after = self.payments.store.load(key).await;
        let after = after.map_err(ApplyError::from)?;
        let payment = after.map(|stored| stored.payment);
        let poll = before.polling().polls_sent();
        let found = match payment.as_ref().map(Payment::polling) {
            Some(polling) if polling.last_answered() >= poll => Found::Operations,
            Some(polling) if polling.last_not_found() >= poll => Found::Nothing,
            _ => Found::Unclear,
        };
        Ok(PollResult {
            before: Some(before),
            payment,
            found,
            published,
        })
    }

    /// Polls the platform about a payment that is not stored. Nothing is claimed, because a claim is stored in the
    /// payment. An answer that has no operations, or that does not name this payment, changes nothing.
    async fn poll_unknown(&self, key: &PaymentKey) -> Result<PollResult, PollError> {
        let reply = self.request_status(key.project_id(), key.folded_id());
        let signed = match reply.await? {
            StatusReply::Report(signed) if !is_storable(&signed.report) => {
                over_limit("status_answer", Some(key));
                return Err(PollError::TooLarge);
            }
            StatusReply::Report(signed) => signed,
            StatusReply::NotFound { .. } => return Ok(PollResult::without_payment(Found::Nothing)),
            StatusReply::Unrelated => return Ok(PollResult::without_payment(Found::Unclear)),
        };
        let report = &signed.report;
        let payment_id = report.payment_id.as_deref().unwrap_or_default();
        let is_about = report.project_id == Some(u64::from(key.project_id().get()))
            && payment_id.eq_ignore_ascii_case(key.folded_id());
        if report.operations.is_empty() || !is_about {
            return Ok(PollResult::without_payment(Found::Unclear));
        }
        let report = signed.report();
        // With the number 0, this poll is older than every poll that another call has claimed in the meantime.
        let fact = Fact::StatusAnswer { report, poll: 0 };
        let (payment, published) = match self.payments.apply(key, fact).await? {
            Some(applied) => (Some(applied.payment), left_to_sweep(applied.published)?),
            None => (None, Vec::new()),
        };
        Ok(PollResult {
            before: None,
            payment,
            found: Found::Operations,
            published,
        })
    }
}
