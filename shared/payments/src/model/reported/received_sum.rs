//! Finds the amount received, from the newest report whose `payment.sum` states this amount.

use std::collections::BTreeSet;

use ecommpay::operation::Outcome;
use ecommpay::report::Sum;

use super::operation::Operation;
use super::payment_sums::DatedSum;
use crate::model::payment::Payment;
use crate::model::quarantine::Verdict;
use crate::model::timestamp::Timestamp;

/// The sum received up to a date.
pub(in crate::model) struct ReceivedSum {
    pub(in crate::model) sum: Sum,
    /// The `operation.date` up to which the sum includes all captures.
    until: String,
    /// Whether the sum is from a signed answer, although a newer callback names another sum that must be confirmed.
    has_newer_unconfirmed: bool,
}

impl ReceivedSum {
    /// Whether the amount of a capture must be added to the sum. The first `operation.date` of the capture must be
    /// after `until`. A second condition depends on `has_newer_unconfirmed`:
    /// - If true, the outcome of the capture must be from a signed answer.
    /// - If false, no callback about the capture must have stated the amount received.
    pub(in crate::model) fn is_before(&self, capture: &Operation) -> bool {
        let is_later = capture
            .first_date()
            .is_some_and(|date| is_earlier(&self.until, date));
        is_later
            && match self.has_newer_unconfirmed {
                true => capture.is_signed(),
                false => capture.payment_sum.is_none(),
            }
    }
}

/// Whether a date of the platform is earlier than another date. Two dates can have different time zones.
fn is_earlier(date: &str, other: &str) -> bool {
    // Usually the dates are equal, so no date is parsed.
    if date == other {
        return false;
    }
    let times = [date, other].map(Timestamp::of_platform);
    match times {
        [Some(time), Some(other)] => time < other,
        _ => date < other,
    }
}

impl Operation {
    /// Whether signed answers contradict the newest `payment.sum` of callbacks. Both conditions must hold:
    /// - A callback about a success has the same sum as `sum_initial` of the operation.
    /// - Signed answers give the operation a greater `sum_initial`.
    fn is_payment_sum_contradicted(&self) -> bool {
        let Some(DatedSum { sum, .. }) = &self.payment_sum else {
            return false;
        };
        let is_greater = self
            .sum()
            .is_some_and(|signed| signed.currency == sum.currency && signed.amount > sum.amount);
        let of_callbacks = self.finals.iter().filter(|report| !report.signed);
        let mut of_callbacks = of_callbacks.filter(|report| report.outcome == Outcome::Succeeded);
        self.is_signed()
            && is_greater
            && of_callbacks.any(|report| report.sum_initial.as_ref() == Some(sum))
    }
}

impl Payment {
    /// Returns the newest `payment.sum` that states the amount received. A callback counts only while its operation
    /// counts as succeeded. After a rejection, a callback does not count if signed answers contradict its sum.
    /// Otherwise the sum would hide money that was neither rejected nor refunded.
    pub(in crate::model) fn newest_sum(&self) -> Option<&DatedSum> {
        let newest_decision = self.decisions.last();
        let is_rejected = newest_decision.is_some_and(|one| one.verdict == Verdict::Rejected);
        let operations = self.reported.operations.values();
        let of_callbacks = operations
            .filter(|operation| operation.has_succeeded())
            .filter(|operation| !is_rejected || !operation.is_payment_sum_contradicted())
            .filter_map(|operation| operation.payment_sum.as_ref());
        of_callbacks
            .chain(&self.reported.sums.newest_signed)
            .max_by(|one, other| one.cmp_recency(other))
    }

    /// Returns the newest sum that states the amount received. If this sum must be confirmed, returns the newest
    /// signed sum instead, or else the ordered sum.
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

    /// Whether a signed answer must confirm the newest sum. Only a sum from a callback must be confirmed, in two
    /// cases:
    /// - The sum is below the order or in another currency, and another report named the ordered sum.
    /// - The sum differs from the order, and a signed answer named the ordered sum.
    ///
    /// A sum in the ordered currency is confirmed if it equals the captures in signed answers.
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

    /// Whether a successful sale was reported without `payment.sum`, and no report states the amount received.
    pub(in crate::model) fn is_payment_sum_missing(&self) -> bool {
        self.reported.sums.missing && self.newest_sum().is_none()
    }

    /// Returns every `payment.sum` that differs from the order, if no signed answer has settled the difference.
    pub(in crate::model) fn differing_payment_sums(&self) -> BTreeSet<Sum> {
        self.reported.sums.differing()
    }

    /// Whether more values of `payment.sum` differ from the order than are stored.
    pub(in crate::model) fn has_other_differing_payment_sums(&self) -> bool {
        self.reported.sums.has_others_that_differ()
    }
}
