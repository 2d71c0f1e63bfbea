//! Holds the refunds of a payment: those that this service requested, and external refunds.

pub(in crate::model) mod attribution;
mod attribution_window;
pub(in crate::model) mod compact;
pub(in crate::model) mod former;
mod further_success;
mod overrefund;
pub mod refund;
pub mod refund_status;
pub(in crate::model) mod returns;
pub(in crate::model) mod revoked;
mod unknown_amount;
pub(in crate::model) mod update;

use ecommpay::fields::{Currency, Text};

use self::refund::{Refund, RefundOrder};
use super::attempt::gate_request::GateRequest;
use super::ids::MerchantId;
use super::payment::Payment;
use super::status::Status;
use super::timestamp::Timestamp;

impl Payment {
    /// Whether the payment can be refunded. All of these conditions must hold:
    ///
    /// - The status allows a refund.
    /// - No other system made the payment.
    /// - The paid amount is greater than 0.
    /// - The money is in euros, the only currency that we send.
    /// - The `payment_id` can be signed.
    pub(crate) fn is_refundable(&self) -> bool {
        let has_status = matches!(
            self.status(),
            Status::Succeeded | Status::PartiallyRefunded | Status::Quarantined | Status::Unmatched
        );
        has_status
            && !self.is_foreign()
            && self.paid_amount() > 0
            && self.currency() == Some(Currency::Eur.code())
            && self.has_signable_id()
    }

    pub(crate) fn reserve_refund(&mut self, order: &RefundOrder, amount: u64, at: Timestamp) {
        let mut refund = Refund::requested(order, amount, at);
        refund.request.send(self.polling.polls_sent(), at);
        self.refunds.push(refund);
        self.polling.restart(at);
    }

    pub(crate) fn send_refund_again(&mut self, id: &MerchantId, at: Timestamp) {
        let polls_sent = self.polling.polls_sent();
        let mut refunds = self.refunds.iter_mut();
        if let Some(refund) = refunds.find(|refund| refund.refund_id() == Some(id)) {
            refund.request.send(polls_sent, at);
            refund.repeated = true;
        }
    }

    pub(crate) fn refund_request_mut(&mut self, id: &MerchantId) -> Option<&mut GateRequest> {
        let mut refunds = self.refunds.iter_mut();
        let refund = refunds.find(|refund| refund.refund_id() == Some(id))?;
        Some(&mut refund.request)
    }

    /// Returns the IP address to send with a refund: from the refund's request, or else the customer's address.
    pub(crate) fn refund_ip_address(&self, refund_id: &MerchantId) -> Option<Text> {
        let own = self.refund(refund_id)?.ip_address.as_ref();
        let customer = || self.order.as_ref()?.customer.as_ref();
        own.map(|address| address.0.clone())
            .or_else(|| Some(customer()?.ip_address.clone()))
    }
}
