//! Derives the shopper's side of the current attempt.

use serde::Serialize;

use super::gate_request::GateRequest;
use crate::model::order::Channel;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::reported::waiting::{Redirect, Waiting};
use crate::model::timestamp::Timestamp;

/// The state of a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutState {
    /// The shopper can pay.
    Open,
    /// The checkout expired while the payment was undecided.
    Expired,
    /// The shopper has nothing left to do. The payment is or was decided, or only the platform's confirmation is
    /// missing.
    Done,
}

impl Payment {
    /// Returns the state of the checkout; `None` for a payment that this service did not create.
    pub fn checkout_state(&self, at: Timestamp) -> Option<CheckoutState> {
        let order = self.order.as_ref()?;
        let is_undecided = self.can_expire();
        Some(match self.attempt.expired {
            true => CheckoutState::Expired,
            false if is_undecided && order.expires_at <= at => CheckoutState::Expired,
            false if is_undecided => CheckoutState::Open,
            false => CheckoutState::Done,
        })
    }

    /// Returns when to emit `checkout.expired`; `None` if the event was emitted or must not be emitted.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        let order = self.order.as_ref()?;
        let is_due = !self.attempt.expired && self.can_expire();
        is_due.then_some(order.expires_at)
    }

    /// Whether the checkout can expire. The payment must be undecided. If an event said that the payment is paid, the
    /// checkout does not expire, because other services can release the stock on expiry.
    fn can_expire(&self) -> bool {
        self.status().is_undecided() && !self.emitted().success
    }

    pub(crate) fn expire(&mut self) {
        self.attempt.expired = true;
    }

    pub(crate) fn has_expired(&self) -> bool {
        self.attempt.expired
    }

    /// Returns the sales that do not belong to an earlier attempt.
    fn current_sales(&self) -> impl Iterator<Item = &Operation> {
        let failed = self.attempt.failed_request_ids();
        self.sales().filter(move |sale| !failed.are_named_by(sale))
    }

    /// Returns the newest redirect or clarification request of a pending sale in the current attempt.
    pub(super) fn waiting(&self) -> Option<&Waiting> {
        let is_foreign = self.foreign_operations();
        self.current_sales()
            .filter(|sale| !is_foreign(sale))
            .filter_map(Operation::waiting)
            .max_by(|one, other| one.order.cmp(&other.order))
    }

    /// Returns the redirect to the bank. Returns `None` if no report has named it, if the sale is no longer pending,
    /// or if another system made the payment.
    pub fn redirect(&self) -> Option<&Redirect> {
        self.waiting()?.redirect.as_ref()
    }

    /// Whether the payment has a Payment Page link, and the platform has reported no operation.
    pub fn has_unused_link(&self) -> bool {
        let order = self.order.as_ref();
        order.is_some_and(|order| order.channel == Channel::PaymentPage)
            && self.reported.operations.is_empty()
    }

    /// Whether a Gate sale was sent, but no report about the sale has arrived and the payment has no result. The
    /// callback with the redirect URL is possibly lost.
    pub(crate) fn awaits_first_report(&self) -> bool {
        let order = self.order.as_ref();
        let is_gate = order.is_some_and(|order| order.channel == Channel::Gate);
        let is_sent = matches!(
            self.attempt.request,
            GateRequest::Accepted { .. } | GateRequest::Unknown { .. }
        );
        let is_reported = self.current_sales().next().is_some();
        is_gate && is_sent && !is_reported && !self.status().is_final()
    }

    pub(crate) fn is_polled_for_redirect(&self) -> bool {
        self.attempt.polled_for_redirect
    }

    pub(crate) fn record_poll_for_redirect(&mut self) {
        self.attempt.polled_for_redirect = true;
    }

    /// Whether the platform awaits the redirect, but no report has named the redirect URL. The callback with the URL
    /// is late or lost.
    pub fn is_redirect_missing(&self) -> bool {
        let needs_redirect = |sale: &Operation| {
            sale.platform_status() == "awaiting redirect result" && sale.waiting().is_none()
        };
        self.status().is_undecided()
            && self.redirect().is_none()
            && self.current_sales().any(needs_redirect)
    }

    /// Whether no report is about the current attempt. The first attempt has no report if no status and no operation
    /// was reported. A later attempt has no report if none of its sales was reported.
    pub fn has_no_report_of_attempt(&self) -> bool {
        match self.attempt.number() {
            0 => self.platform_status().is_none() && self.operations().len() == 0,
            _ => self.current_sales().next().is_none(),
        }
    }
}
