//! Acts on a status answer: repeats or ends a refund or a sale that never reached the platform.

use ecommpay::Keyring;
use tokio::time::Instant;

use super::error::PollError;
use super::poller::StatusPoller;
use crate::decide::{self, Command};
use crate::events::EventKind;
use crate::model::{GateRequest, Payment, Refund};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};
use crate::service::checkout::CheckoutService;
use crate::service::error::left_to_sweep;
use crate::service::signed_call::MAX_CALL;

impl<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate> StatusPoller<'_, S, Q, C, G> {
    /// Repeats each `unknown` refund to which no operation in the last signed answer could belong. Ends the refund
    /// instead if the platform refused a repeat. After [`MAX_CALL`], leaves the other refunds to the next poll. Adds
    /// the published events to `events`.
    pub(super) async fn repeat_refunds(
        &self,
        payment: &Payment,
        keyring: &Keyring,
        events: &mut Vec<EventKind>,
    ) -> Result<(), PollError> {
        let payments = self.payments;
        let key = payment.key();
        let begin = Instant::now();
        let mut refunds: Vec<&Refund> = payment.refunds().iter().collect();
        // The refund with the oldest try is first, so that slow requests do not delay the same refunds again.
        refunds.sort_by_key(|refund| refund.request().polls_before());
        let mut published = Ok(());
        for refund_id in refunds.into_iter().filter_map(Refund::refund_id) {
            if begin.elapsed() >= MAX_CALL {
                break;
            }
            let repeat = Command::RepeatRefund(refund_id);
            let now = payments.clock.now();
            let is_due = decide::execute(Some(payment), repeat, now);
            if is_due.unwrap_or_default().is_none() {
                continue;
            }
            let Some((stored, Some(change))) = payments.execute(&key, repeat).await? else {
                continue;
            };
            let refund = stored.payment.refund(refund_id);
            let is_to_be_sent =
                refund.is_some_and(|one| matches!(one.request(), GateRequest::Sending { .. }));
            let applied = if is_to_be_sent {
                payments
                    .send_refund(self.gate, keyring, stored, change.events, refund_id)
                    .await?
            } else {
                payments.publish_change(stored, Some(change)).await
            };
            match left_to_sweep(applied.published) {
                Ok(sent) => events.extend(sent),
                // A failed queue must not stop the next requests.
                Err(error) => published = Err(error),
            }
        }
        Ok(published?)
    }

    /// Acts on the answer "not found": repeats or ends the sale, or ends a recheck. Adds the published events to
    /// `events`.
    pub(super) async fn conclude_sale(
        &self,
        payment: &Payment,
        keyring: &Keyring,
        events: &mut Vec<EventKind>,
    ) -> Result<(), PollError> {
        let payments = self.payments;
        let conclude = Command::ResolveNotFound(&payments.schedule);
        let now = payments.clock.now();
        let is_due = decide::execute(Some(payment), conclude, now);
        if is_due.unwrap_or_default().is_none() {
            return Ok(());
        }
        let key = payment.key();
        let claimed = payments.execute(&key, conclude);
        let Some((stored, Some(change))) = claimed.await? else {
            return Ok(());
        };
        let applied = match stored.payment.attempt().request() {
            GateRequest::Sending { .. } => {
                let checkouts = CheckoutService {
                    payments,
                    gate: self.gate,
                    keyring,
                    tokens: self.tokens,
                    base_url: self.base_url,
                };
                checkouts.send(stored, change.events).await?
            }
            _ => payments.publish_change(stored, Some(change)).await,
        };
        events.extend(left_to_sweep(applied.published)?);
        Ok(())
    }
}
