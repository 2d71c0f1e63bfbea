//! Stores the values of `payment.sum` in the reports.
//!
//! The platform's documents disagree about `payment.sum` after a refund. It is the remainder in one document, and the
//! original amount in another. Therefore only a report without a refund states the amount received. Each sum that
//! differs from the order is stored, so that a later report cannot hide it.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use crate::model::order::Order;
use crate::model::serde_skip::is_default;

/// The maximum number of stored sums that differ from the order. The sums of callbacks are dropped first, the lowest
/// before the others.
const MAX_DIFFERING: usize = 16;

/// The values of `payment.sum` in the reports of one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSums {
    /// The newest sum that states the amount received; only from signed answers. Sums in callbacks are stored in the
    /// operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) newest_signed: Option<DatedSum>,
    /// Whether a report without refunds named exactly the ordered sum.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) named_in_full: bool,
    /// Whether a signed answer without refunds named exactly the ordered sum.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) signed_in_full: bool,
    /// Whether a report of a successful sale without refunds had no sum.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) missing: bool,
    /// Whether a further sum differed from the order, but is not stored.
    #[serde(default, skip_serializing_if = "is_default")]
    others_differ: bool,
    /// Whether a signed answer named a further sum that is not stored.
    #[serde(default, skip_serializing_if = "is_default")]
    signed_others_differ: bool,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    differing: BTreeSet<DifferingSum>,
}

/// `payment.sum` with the dates of its report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedSum {
    pub(in crate::model) operation_date: String,
    payment_date: String,
    pub(super) signed: bool,
    pub(in crate::model) sum: Sum,
}

impl DatedSum {
    /// Compares the age of two sums; the newer sum is greater. At the same dates, a signed answer is newer than a
    /// callback. At the same dates and source, the lower amount is newer.
    pub(super) fn cmp_recency(&self, other: &Self) -> Ordering {
        let dates = (&self.operation_date, &self.payment_date);
        dates
            .cmp(&(&other.operation_date, &other.payment_date))
            .then_with(|| self.signed.cmp(&other.signed))
            .then_with(|| other.sum.cmp(&self.sum))
    }

    pub(super) fn edit_dates(&mut self, edit: impl Fn(&mut String)) {
        edit(&mut self.operation_date);
        edit(&mut self.payment_date);
    }

    pub(super) fn store_newer(known: &mut Option<Self>, reported: Self) {
        if known
            .as_ref()
            .is_none_or(|known| known.cmp_recency(&reported).is_lt())
        {
            *known = Some(reported);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct DifferingSum {
    #[serde(default, skip_serializing_if = "is_default")]
    signed: bool,
    #[serde(flatten)]
    sum: Sum,
    /// The refunds and reversals in the same report, less the returns, in minor units.
    #[serde(default, skip_serializing_if = "is_default")]
    refunded: u64,
}

/// A stored sum from a report without refunds can explain a sum from a report with refunds. Drops each explained sum. A
/// sum is explained if it equals the stored sum, or the stored sum less the refunds in its own report.
fn drop_remainders(sums: &mut BTreeSet<DifferingSum>, may_explain: impl Fn(&DifferingSum) -> bool) {
    let received = sums.iter().filter(|sum| sum.refunded == 0);
    let received = received.filter(|sum| may_explain(sum));
    let received: Vec<Sum> = received.map(|sum| sum.sum.clone()).collect();
    sums.retain(|differing| {
        let before_refunds = differing.sum.amount.saturating_add(differing.refunded);
        let follows_from = |received: &Sum| {
            received.currency == differing.sum.currency
                && [differing.sum.amount, before_refunds].contains(&received.amount)
        };
        differing.refunded == 0 || !received.iter().any(follows_from)
    });
}

pub(super) struct SumReport<'a> {
    pub(super) operation_date: &'a str,
    pub(super) payment_date: &'a str,
    pub(super) signed: bool,
    pub(super) sum: Option<&'a Sum>,
    /// Whether the report shows no refund, so that the sum is the amount received.
    pub(super) is_received: bool,
    /// The refunds and reversals in the report, less the returns, in minor units.
    pub(super) refunded: u64,
}

impl SumReport<'_> {
    pub(super) fn dated(&self, sum: &Sum) -> DatedSum {
        DatedSum {
            operation_date: self.operation_date.to_owned(),
            payment_date: self.payment_date.to_owned(),
            signed: self.signed,
            sum: sum.clone(),
        }
    }
}

impl PaymentSums {
    pub(super) fn add(&mut self, order: Option<&Order>, report: &SumReport<'_>) {
        let SumReport {
            signed,
            is_received,
            refunded,
            ..
        } = *report;
        let Some(sum) = report.sum else {
            self.missing |= is_received;
            return;
        };
        if is_received && signed {
            DatedSum::store_newer(&mut self.newest_signed, report.dated(sum));
        }
        let Some(order) = order else { return };
        if order.matches(sum) {
            self.named_in_full |= is_received;
            self.signed_in_full |= is_received && signed;
            return;
        }
        let remainder = order.amount.get().checked_sub(refunded);
        let is_remainder = sum.currency == order.currency.code() && Some(sum.amount) == remainder;
        if !is_remainder {
            self.differing.insert(DifferingSum {
                sum: sum.clone(),
                refunded,
                signed,
            });
            // A sum of a callback can lose its effect later, so it explains nothing for ever.
            drop_remainders(&mut self.differing, |sum| sum.signed);
            while self.differing.len() > MAX_DIFFERING {
                let dropped = self.differing.pop_first();
                self.others_differ = true;
                self.signed_others_differ |= dropped.is_some_and(|sum| sum.signed);
            }
        }
    }

    /// Returns the sums that differ from the order. Sums that only callbacks named neither count nor explain other sums
    /// after a signed answer without refunds named exactly the ordered sum.
    pub(super) fn differing(&self) -> BTreeSet<Sum> {
        let mut differing = self.differing.clone();
        differing.retain(|sum| sum.signed || !self.signed_in_full);
        drop_remainders(&mut differing, |_| true);
        differing.into_iter().map(|sum| sum.sum).collect()
    }

    /// Whether a sum that is not stored differs from the order. Sums of callbacks are left out as in
    /// [`differing`](Self::differing).
    pub(super) fn has_others_that_differ(&self) -> bool {
        self.signed_others_differ || self.others_differ && !self.signed_in_full
    }

    /// Returns the newest sum in a signed answer, and all differing sums except those that other sums explain: such a sum
    /// has no event of its own. If the explaining sum does not count, the explained sum is returned too.
    pub(super) fn named(&self) -> BTreeSet<Sum> {
        let mut named = self.differing.clone();
        drop_remainders(&mut named, |_| true);
        let named = named.into_iter().map(|sum| sum.sum);
        let newest = self.newest_signed.iter().map(|sum| sum.sum.clone());
        named.chain(self.differing()).chain(newest).collect()
    }
}
