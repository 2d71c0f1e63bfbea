//! The shopper's side of the open attempt: the hand-off to the bank, what the platform asks, and the
//! end.

use ecommpay::report::ClarificationField;
use serde::Serialize;

use crate::model::timestamp::Timestamp;
use crate::model::{Channel, GateRequest, Payment, Redirect, Refund, Waiting};

/// Where the checkout of the open attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutState {
    /// The shopper can pay.
    Open,
    /// Its time ran out while the payment was undecided.
    Expired,
    /// The shopper has nothing left to do: the payment is decided or waits for its confirmation.
    Done,
}

impl Payment {
    /// Where the checkout stands; `None` for a payment that was not created here.
    pub fn checkout_state(&self, at: Timestamp) -> Option<CheckoutState> {
        let order = self.order.as_ref()?;
        let is_undecided = self.status().is_undecided();
        Some(match self.attempt.expired {
            true => CheckoutState::Expired,
            false if is_undecided && order.expires_at <= at => CheckoutState::Expired,
            false if is_undecided => CheckoutState::Open,
            false => CheckoutState::Done,
        })
    }

    /// When the end of the checkout is to be emitted, unless the payment is decided by then.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        let order = self.order.as_ref()?;
        let is_due = !self.attempt.expired && self.status().is_undecided();
        is_due.then_some(order.expires_at)
    }

    /// Notes that the checkout ended while the payment was undecided.
    pub(crate) fn expire(&mut self) {
        self.attempt.expired = true;
    }

    /// Whether an event said that the checkout ended while the payment was undecided.
    pub(crate) fn has_expired(&self) -> bool {
        self.attempt.expired
    }

    /// What the newest attempt to pay waits for.
    pub(crate) fn waiting(&self) -> Option<&Waiting> {
        let failed = &self.attempt.failed_requests;
        self.sales()
            .filter(|sale| !sale.request_id().is_some_and(|id| failed.contains(id)))
            .filter_map(|sale| sale.waiting())
            .max_by(|one, other| one.order.cmp(&other.order))
    }

    /// Where the shopper's browser must go, if that is known and still of use.
    pub fn redirect(&self) -> Option<&Redirect> {
        self.waiting()?.redirect.as_ref()
    }

    /// The fields that the platform asks of the shopper and that were not answered yet.
    pub fn clarification_fields(&self) -> &[ClarificationField] {
        self.clarification_request()
            .map_or(&[], Waiting::clarification_fields)
    }

    /// What the platform asks of the shopper, if it was not answered yet.
    pub fn clarification_request(&self) -> Option<&Waiting> {
        let answered = self.attempt.answered_clarification.as_ref();
        unanswered(self.waiting()?, answered)
    }

    /// What the platform asks for a refund, if it was not answered yet.
    pub fn clarification_request_of(&self, refund: &Refund) -> Option<&Waiting> {
        let operation = self.operation(refund.operation_id()?)?;
        unanswered(operation.waiting()?, refund.answered_clarification.as_ref())
    }

    /// Notes that the platform took the answer to what it asks of the shopper or for a refund. Its
    /// request names only the payment, so it counts for whatever waits with this digest.
    pub(crate) fn clarification_answered(&mut self, digest: &str) {
        let asks = |waiting: Option<&Waiting>| waiting.is_some_and(|one| one.digest() == digest);
        let asked: Vec<bool> = self
            .refunds
            .iter()
            .map(|refund| asks(self.clarification_request_of(refund)))
            .collect();
        let mut refunds = self.refunds.iter_mut().zip(asked);
        match refunds.find(|(_, asks)| *asks) {
            Some((refund, _)) => refund.answered_clarification = Some(digest.to_owned()),
            None => self.attempt.answered_clarification = Some(digest.to_owned()),
        }
    }

    /// Whether the shopper has a link to Payment Page and has not used it yet.
    pub fn has_unused_link(&self) -> bool {
        let order = self.order.as_ref();
        order.is_some_and(|order| order.channel == Channel::PaymentPage)
            && self.reported.operations.is_empty()
    }

    /// Whether a Gate sale was sent and no report about it has come: the callback with its redirect
    /// URL may be lost.
    pub(crate) fn awaits_first_report(&self) -> bool {
        let order = self.order.as_ref();
        let is_gate = order.is_some_and(|order| order.channel == Channel::Gate);
        let is_sent = matches!(
            self.attempt.request,
            GateRequest::Accepted { .. } | GateRequest::Unknown { .. }
        );
        let failed = &self.attempt.failed_requests;
        let is_known = self
            .sales()
            .any(|sale| !sale.request_id().is_some_and(|id| failed.contains(id)));
        is_gate && is_sent && !is_known && !self.status().is_final()
    }

    /// Whether the platform was polled for a redirect URL in this attempt.
    pub(crate) fn is_polled_for_redirect(&self) -> bool {
        self.attempt.polled_for_redirect
    }

    /// Notes that it is.
    pub(crate) fn poll_for_redirect(&mut self) {
        self.attempt.polled_for_redirect = true;
    }

    /// Whether the platform waits for the shopper at the bank and the redirect URL is not known: its
    /// callback is late or lost.
    pub fn is_redirect_missing(&self) -> bool {
        let waits = |one: &crate::model::Operation| {
            one.platform_status() == "awaiting redirect result" && one.waiting().is_none()
        };
        self.status().is_undecided() && self.redirect().is_none() && self.sales().any(waits)
    }
}

fn unanswered<'a>(waiting: &'a Waiting, answered: Option<&String>) -> Option<&'a Waiting> {
    let is_answered = answered == Some(&waiting.digest());
    (!waiting.clarification_fields.is_empty() && !is_answered).then_some(waiting)
}
