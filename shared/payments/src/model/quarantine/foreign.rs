//! Decides whether another system of the project made the payment that the platform has under our payment id.

use std::cell::OnceCell;
use std::time::Duration;

use ecommpay::operation::OperationType;
use ecommpay::report;

use super::{QuarantineItem, QuarantineReason, Verdict};
use crate::model::attempt::gate_request::GateRequest;
use crate::model::order::Channel;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::reported::request_ids::RequestIds;
use crate::model::timestamp::Timestamp;

/// The possible difference of the clocks. An operation is older than the checkout, or than the arrival of a signed
/// answer, only if the times differ by more than this duration.
pub(in crate::model) const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(15 * 60);

/// The year 2000 in UTC. An earlier date is a placeholder for an unknown date.
pub(in crate::model) const FIRST_DATE: Timestamp = Timestamp::from_millis(946_684_800_000);

impl Payment {
    /// Whether another system made the payment at the platform, and no operator has released the money. The money of
    /// such a payment never counts as paid, and this service never refunds it. Storefronts do not see its operations.
    ///
    /// A release still holds if the platform later does not confirm the money, because the released money was possibly
    /// refunded.
    pub fn is_foreign(&self) -> bool {
        if !self.is_of_another_system() {
            return false;
        }
        let is_of_foreign = |item: &QuarantineItem| item.reason == QuarantineReason::ForeignPayment;
        let items = self.all_quarantine_items();
        if !items.iter().any(is_of_foreign) {
            return !self.was_foreign_released();
        }
        let unreleased = self.without_verdict(Verdict::Released, items);
        unreleased.iter().any(is_of_foreign)
    }

    /// Whether an operator released an item `foreign_payment`, even if the item does not exist any more.
    fn was_foreign_released(&self) -> bool {
        self.operations().any(|(id, operation)| {
            let mut sums = operation.reported_sums();
            sums.any(|sum| self.is_released(&QuarantineItem::foreign(id, sum)))
        })
    }

    /// Whether another system made the payment at the platform. If no operation decides this, Gate's answers decide.
    pub(crate) fn is_of_another_system(&self) -> bool {
        let by_operations = self.are_sales_of_another_system();
        self.order.is_some() && by_operations.unwrap_or(self.attempt.is_foreign())
    }

    /// Whether reports show that another system made the payment at the platform.
    pub(crate) fn has_sale_of_another_system(&self) -> bool {
        self.order.is_some() && self.are_sales_of_another_system() == Some(true)
    }

    /// Whether another system made each of the operations that decide. These are the operations that took money, or
    /// else the pending sales, or else the declined sales. Returns `None` if there is no such operation.
    fn are_sales_of_another_system(&self) -> Option<bool> {
        let captures = |one: &Operation| one.is_successful_sale() || one.is_undocumented_capture();
        let pending = |one: &Operation| one.is_sale() && !one.outcome().is_final();
        // After an error, the platform gives the payment id to another request.
        let declined = |one: &Operation| {
            one.is_sale() && one.is_declined() && one.platform_status() != "error"
        };
        let is_foreign = self.foreign_operations();
        let are_foreign = |decides: &dyn Fn(&Operation) -> bool| {
            let mut deciding = self
                .reported
                .operations
                .values()
                .filter(|one| decides(one))
                .peekable();
            deciding.peek()?;
            Some(deciding.all(&is_foreign))
        };
        are_foreign(&captures)
            .or_else(|| are_foreign(&pending))
            .or_else(|| are_foreign(&declined))
    }

    /// Returns a function that decides whether another system made an operation. The operation must not have a
    /// `request_id` of ours, and one of these conditions must hold:
    ///
    /// - Gate refused our first try because the platform already had the payment id.
    /// - The operation is older than our checkout.
    /// - The platform can have no sale of ours, and the operation has a `request_id`.
    pub(in crate::model) fn foreign_operations(&self) -> impl Fn(&Operation) -> bool {
        let has_no_sale = OnceCell::new();
        let own = self.attempt.request_ids();
        move |operation| {
            let has_no_sale = || *has_no_sale.get_or_init(|| self.has_no_sale_of_ours());
            !own.are_named_by(operation)
                && (self.attempt.is_foreign()
                    || self.is_older_than_checkout(operation)
                    || operation.request_id().is_some() && has_no_sale())
        }
    }

    /// Whether Gate's answers and the reports show that the platform made no payment of any sale request of ours. A
    /// reported sale with a `request_id` of ours shows the opposite, with two exceptions:
    /// - The status of the sale is `error`.
    /// - The sale is pending, and a report names an error that ends the request.
    fn has_no_sale_of_ours(&self) -> bool {
        let has_error = self.is_ended_by_error(&self.attempt.request);
        let own = self.attempt.request_ids();
        let is_made = |operation: &Operation| {
            (operation.outcome().is_final() || !has_error)
                && takes_money(operation.kind())
                && operation.platform_status() != "error"
                && own.are_named_by(operation)
        };
        if self.reported.operations.values().any(is_made) {
            return false;
        }
        let is_gate = self
            .order
            .as_ref()
            .is_some_and(|order| order.channel == Channel::Gate);
        let request = &self.attempt.request;
        let has_no_sale = match request {
            GateRequest::NotSent => false,
            GateRequest::Accepted { .. } => self.has_error_of(request) || self.is_sale_missing(),
            _ => request.was_never_accepted(),
        };
        is_gate && has_no_sale && !self.attempt.may_have_unnamed_sale()
    }

    /// Whether signed answers show that the platform made no sale of the accepted request. The platform makes the sale
    /// of a request when it accepts the request, so an answer with a complete list shows the sale. All of these
    /// conditions must hold:
    ///
    /// - A signed answer had a complete list of operations.
    /// - The payment stores every reported operation, and none has the `request_id` of the request.
    /// - A signed answer has the creation date of each operation that can take money.
    /// - No such operation was created near the time of the request. So no operation is ours, even if reports contain
    ///   other request ids than Gate's answers.
    fn is_sale_missing(&self) -> bool {
        let Some(request_id) = self.attempt.request.request_id() else {
            return false;
        };
        let request_ids = RequestIds::one(Some(request_id));
        let sent_at = self.attempt.sent_at();
        let is_near = |created: Timestamp| {
            sent_at.before(MAX_CLOCK_DIFFERENCE) <= created
                && created <= sent_at.after(MAX_CLOCK_DIFFERENCE)
        };
        let may_be_ours = |operation: &Operation| {
            request_ids.are_named_by(operation)
                || takes_money(operation.kind()) && operation.created_at().is_none_or(is_near)
        };
        self.reported.newest_answer.is_some()
            && self.most_known_operations() == 0
            && !self.reported.operations.values().any(may_be_ours)
    }

    /// Whether an operation is older than the checkout. The creation date in signed answers decides. If there is none,
    /// any date in a report decides, with one exception. After a complete signed answer dated the operation after the
    /// checkout, dates in callbacks do not decide.
    fn is_older_than_checkout(&self, operation: &Operation) -> bool {
        match operation.created_at() {
            Some(created) => self.is_before_checkout(created),
            None => {
                let is_older = operation.older_than_checkout && !operation.newer_by_answer;
                is_older || operation.older_by_answer
            }
        }
    }

    /// Whether a date in the report of a sale, or of an operation of undocumented type, is before the checkout. A
    /// payment without an order has no checkout.
    pub(in crate::model) fn has_date_before_checkout(&self, operation: &report::Operation) -> bool {
        let mut dates = dates(operation);
        takes_money(&operation.kind)
            && self.order.is_some()
            && dates.any(|date| self.is_before_checkout(date))
    }

    /// Whether the report of a sale, or of an operation of undocumented type, has a date after the checkout and no
    /// creation date.
    pub(in crate::model) fn has_only_date_after_checkout(
        &self,
        operation: &report::Operation,
    ) -> bool {
        let is_after = |date: Timestamp| !self.is_before_checkout(date);
        takes_money(&operation.kind)
            && self.order.is_some()
            && date(&operation.created_date).is_none()
            && date(&operation.date).is_some_and(is_after)
    }

    fn is_before_checkout(&self, date: Timestamp) -> bool {
        date < self.created_at().before(MAX_CLOCK_DIFFERENCE)
    }

    /// Returns when a sale, or an operation of undocumented type, was created according to a signed answer. If the
    /// answer has an earlier date of the operation, returns the earlier date. Returns `None` if the answer has no
    /// usable creation date, or if the payment has no order.
    pub(in crate::model) fn creation_date(&self, operation: &report::Operation) -> Option<String> {
        date(&operation.created_date)?;
        let earliest = dates(operation).min()?;
        let is_needed = takes_money(&operation.kind) && self.order.is_some();
        is_needed.then(|| earliest.to_platform())
    }
}

/// Whether an operation of this type can take money from the shopper.
fn takes_money(kind: &OperationType) -> bool {
    *kind == OperationType::Sale || kind.is_undocumented()
}

/// Returns the usable dates in a report about an operation.
fn dates(operation: &report::Operation) -> impl Iterator<Item = Timestamp> {
    [&operation.date, &operation.created_date]
        .into_iter()
        .filter_map(date)
}

/// Parses a date. Returns `None` if the date is missing, cannot be parsed, or is a placeholder.
fn date(date: &Option<String>) -> Option<Timestamp> {
    let date = Timestamp::of_platform(date.as_deref()?);
    date.filter(|date| FIRST_DATE <= *date)
}
