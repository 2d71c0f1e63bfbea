//! Finds the amount received, from the newest report whose `payment.sum` states this amount.

use std::collections::BTreeSet;

use ecommpay::report::Sum;

use super::operation::Operation;
use super::payment_sums::DatedSum;
use crate::model::payment::Payment;

/// The sum received up to a date.
pub(in crate::model) struct ReceivedSum {
    pub(in crate::model) sum: Sum,
    /// The sum includes the captures up to this `operation.date`.
    until: String,
    /// Whether the sum is from a signed answer, and a newer callback names another, unconfirmed sum.
    has_newer_unconfirmed: bool,
}

impl ReceivedSum {
    /// Whether the amount of a capture must be added to the sum. Only a later capture is added, and only if no callback
    /// about the capture stated the amount received. But if a newer callback names another, unconfirmed sum, every
    /// later capture in a signed answer is added, and no other capture. A capture is later if its first report is later.
    pub(in crate::model) fn is_before(&self, capture: &Operation) -> bool {
        let is_later = capture
            .first_date()
            .is_some_and(|date| self.until.as_str() < date);
        is_later
            && match self.has_newer_unconfirmed {
                true => capture.is_signed(),
                false => capture.payment_sum.is_none(),
            }
    }
}

impl Payment {
    /// Returns the newest `payment.sum` that states the amount received. The sum in a callback counts only while the
    /// operation of the callback counts as succeeded.
    pub(in crate::model) fn newest_sum(&self) -> Option<&DatedSum> {
        let operations = self.reported.operations.values();
        let of_callbacks = operations
            .filter(|operation| operation.has_succeeded())
            .filter_map(|operation| operation.payment_sum.as_ref());
        of_callbacks
            .chain(&self.reported.sums.newest_signed)
            .max_by(|one, other| one.cmp_recency(other))
    }

    /// Returns the sum received: the newest sum that states the amount received. While this sum is unconfirmed, returns
    /// the sum in the newest signed answer instead. If there is no signed answer, returns the ordered sum.
    pub(in crate::model) fn received_sum(&self) -> Option<ReceivedSum> {
        let newest = self.newest_sum()?;
        let order = self.order.as_ref();
        let unconfirmed_order = order.filter(|_| self.is_newest_sum_unconfirmed());
        let signed = self.reported.sums.newest_signed.as_ref();
        let (sum, until, has_newer_unconfirmed) = match (unconfirmed_order, signed) {
            (None, _) => (newest.sum.clone(), &newest.operation_date, false),
            (Some(_), Some(signed)) => (signed.sum.clone(), &signed.operation_date, true),
            (Some(order), None) => (order.sum(), &newest.operation_date, false),
        };
        Some(ReceivedSum {
            sum,
            until: until.clone(),
            has_newer_unconfirmed,
        })
    }

    /// Whether the newest sum is from a callback, and a signed answer must confirm this sum. There are two cases. A sum
    /// below the order or in another currency must be confirmed if another report named the ordered sum. Any sum that
    /// differs from the order must be confirmed if a signed answer named the ordered sum. A sum in the ordered currency
    /// is also confirmed if the captures in signed answers have exactly this amount.
    pub(crate) fn is_newest_sum_unconfirmed(&self) -> bool {
        let (Some(newest), Some(order)) = (self.newest_sum(), &self.order) else {
            return false;
        };
        let is_other_currency = newest.sum.currency != order.currency.code();
        let is_lower = newest.sum.amount < order.amount.get() || is_other_currency;
        let sums = &self.reported.sums;
        let contradicts_answer = sums.signed_in_full && !order.matches(&newest.sum);
        let captured = self.captured_amount(Operation::is_signed);
        let is_captured = !is_other_currency && captured > 0 && captured == newest.sum.amount;
        let is_confirmed = newest.signed || is_captured;
        !is_confirmed && (is_lower && sums.named_in_full || contradicts_answer)
    }

    /// Whether a report of a successful sale had no `payment.sum`, and no other report states the amount received.
    pub(in crate::model) fn is_payment_sum_missing(&self) -> bool {
        self.reported.sums.missing && self.newest_sum().is_none()
    }

    /// Returns every `payment.sum` that differs from the order, except for the sums that a signed answer settled.
    pub(in crate::model) fn differing_payment_sums(&self) -> BTreeSet<Sum> {
        self.reported.sums.differing()
    }
}
