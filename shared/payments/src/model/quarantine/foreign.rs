//! Decides whether another system of the project made the payment that the platform has under our payment id.

use std::time::Duration;

use ecommpay::operation::OperationType;
use ecommpay::report;

use super::{QuarantineItem, QuarantineReason, Verdict};
use crate::model::attempt::gate_request::GateRequest;
use crate::model::order::Channel;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::timestamp::Timestamp;

/// The possible difference of the clocks. An operation is older than the checkout, or than the arrival of a signed
/// answer, only if the difference of the times exceeds this difference.
pub(super) const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(15 * 60);

/// The year 2000 in UTC. An earlier date is a placeholder for an unknown date.
pub(super) const FIRST_DATE: Timestamp = Timestamp::from_millis(946_684_800_000);

impl Payment {
    /// Whether another system made the payment at the platform, and no operator has released the money. The money then
    /// never counts as paid, and this service never refunds it. Storefronts do not see the operations.
    pub fn is_foreign(&self) -> bool {
        if !self.is_of_another_system() {
            return false;
        }
        let is_of_foreign = |item: &QuarantineItem| item.reason == QuarantineReason::ForeignPayment;
        let items = self.all_quarantine_items();
        !items.iter().any(is_of_foreign)
            || self
                .without_verdict(Verdict::Released, items)
                .iter()
                .any(is_of_foreign)
    }

    /// Whether another system made the payment at the platform. No sale of ours may be reported, except a sale that ended
    /// with an error, and one of these conditions must hold:
    ///
    /// - Gate refused our first try because the platform already had the payment id.
    /// - A sale, or an operation of undocumented type, is older than our checkout.
    /// - The platform can have no sale of ours, and a reported sale has the `request_id` of another request.
    pub(in crate::model) fn is_of_another_system(&self) -> bool {
        let Some(order) = &self.order else {
            return false;
        };
        let is_named =
            |sale: &Operation| sale.request_id().is_some() && !self.is_of_our_request(sale);
        let has_other_sale = || {
            order.channel == Channel::Gate
                && self.has_no_sale_of_ours()
                && self.sales().any(is_named)
        };
        let has_evidence =
            self.attempt.is_foreign() || self.reported.is_older_than_checkout || has_other_sale();
        // After an error, the platform gives the payment id to another request.
        let is_made = |sale: &Operation| sale.platform_status() != "error";
        has_evidence
            && !self
                .sales()
                .any(|sale| is_made(sale) && self.is_of_our_request(sale))
    }

    /// Whether Gate's answers and the reported errors show that the platform made no payment of any sale request of ours.
    fn has_no_sale_of_ours(&self) -> bool {
        let request = &self.attempt.request;
        let has_no_sale = match request {
            GateRequest::NotSent => false,
            GateRequest::Accepted { .. } => self.has_error_of(request),
            _ => request.was_never_accepted(),
        };
        has_no_sale && !self.attempt.may_have_unnamed_sale()
    }

    fn is_of_our_request(&self, sale: &Operation) -> bool {
        let mut request_ids = self.attempt.request_ids();
        request_ids.any(|request_id| sale.has_request_id(request_id))
    }

    /// Whether a reported sale, or a reported operation of undocumented type, is older than the checkout. A date that is
    /// missing or cannot be parsed is no evidence. A payment without an order has no checkout.
    pub(in crate::model) fn is_older_than_checkout(&self, operation: &report::Operation) -> bool {
        let takes_money = operation.kind == OperationType::Sale || operation.kind.is_undocumented();
        let first = self.created_at().before(MAX_CLOCK_DIFFERENCE);
        let dates = [&operation.date, &operation.created_date].into_iter();
        let mut dates = dates
            .flatten()
            .filter_map(|date| Timestamp::of_platform(date));
        takes_money && self.order.is_some() && dates.any(|date| FIRST_DATE <= date && date < first)
    }
}
