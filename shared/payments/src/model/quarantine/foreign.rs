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

    /// Whether another system made the payment at the platform: another system made each of the operations that decide.
    /// These are the operations that took money, or else the pending sales, or else the declined sales. If there is no
    /// such operation, Gate's answers decide.
    pub(in crate::model) fn is_of_another_system(&self) -> bool {
        if self.order.is_none() {
            return false;
        }
        let captures = |one: &Operation| one.is_successful_sale() || one.is_undocumented_capture();
        let pending = |one: &Operation| one.is_sale() && !one.outcome().is_final();
        // After an error, the platform gives the payment id to another request.
        let declined = |one: &Operation| {
            one.is_sale() && one.is_declined() && one.platform_status() != "error"
        };
        let are_foreign = |decides: &dyn Fn(&Operation) -> bool| {
            let mut deciding = self
                .reported
                .operations
                .values()
                .filter(|one| decides(one))
                .peekable();
            deciding.peek()?;
            Some(deciding.all(|operation| self.is_foreign_operation(operation)))
        };
        are_foreign(&captures)
            .or_else(|| are_foreign(&pending))
            .or_else(|| are_foreign(&declined))
            .unwrap_or(self.attempt.is_foreign())
    }

    /// Whether another system made an operation. The operation must not have a `request_id` of ours, and one of these
    /// conditions must hold:
    ///
    /// - Gate refused our first try because the platform already had the payment id.
    /// - The operation is older than our checkout.
    /// - The platform can have no sale of ours, and the operation has a `request_id`.
    pub(in crate::model) fn is_foreign_operation(&self, operation: &Operation) -> bool {
        let mut request_ids = self.attempt.request_ids();
        let is_ours = request_ids.any(|request_id| operation.has_request_id(request_id));
        !is_ours
            && (self.attempt.is_foreign()
                || operation.older_than_checkout
                || self.has_no_sale_of_ours() && operation.request_id().is_some())
    }

    /// Whether Gate's answers and the reported errors show that the platform made no payment of any sale request of ours.
    fn has_no_sale_of_ours(&self) -> bool {
        let is_gate = self
            .order
            .as_ref()
            .is_some_and(|order| order.channel == Channel::Gate);
        let request = &self.attempt.request;
        let has_no_sale = match request {
            GateRequest::NotSent => false,
            GateRequest::Accepted { .. } => self.has_error_of(request),
            _ => request.was_never_accepted(),
        };
        is_gate && has_no_sale && !self.attempt.may_have_unnamed_sale()
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
