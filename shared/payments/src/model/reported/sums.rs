//! `payment.sum`, as far as the reports name it: what came, and what differs from the order.
//!
//! After a refund `payment.sum` is the remainder in one documentation and the original amount in
//! another. So only a report that shows by itself that nothing has gone back tells what came. All
//! that differed is kept: a later report that names the sum no more erases nothing.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use crate::model::order::Order;
use crate::model::{Payment, is_zero};

/// At most this many differing sums are kept, the greatest ones.
const MOST_DIFFERING: usize = 16;

/// What reports say of `payment.sum`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSums {
    /// Of the newest signed answer that tells what came. That of callbacks is kept with the operations
    /// that they are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest_signed: Option<NamedSum>,
    /// A report named exactly what was ordered.
    #[serde(default, skip_serializing_if = "is_zero")]
    named_in_full: bool,
    /// A signed answer did.
    #[serde(default, skip_serializing_if = "is_zero")]
    signed_in_full: bool,
    /// A success came without a sum.
    #[serde(default, skip_serializing_if = "is_zero")]
    missing: bool,
    /// The sums that differ from the order.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    differing: BTreeSet<DifferingSum>,
}

/// A sum with the age of its report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSum {
    pub(in crate::model) operation_date: String,
    payment_date: String,
    signed: bool,
    pub(in crate::model) sum: Sum,
}

impl NamedSum {
    /// The newer one counts, of one second a signed one, and of those the lower one.
    fn cmp_age(&self, other: &Self) -> Ordering {
        let dates = |one: &'_ Self| (one.operation_date.clone(), one.payment_date.clone());
        let by_date = dates(self).cmp(&dates(other));
        by_date
            .then_with(|| self.signed.cmp(&other.signed))
            .then_with(|| other.sum.cmp(&self.sum))
    }

    /// Keeps the newer one.
    pub(in crate::model) fn keep_newer(known: &mut Option<Self>, heard: Self) {
        if known
            .as_ref()
            .is_none_or(|known| known.cmp_age(&heard).is_lt())
        {
            *known = Some(heard);
        }
    }
}

/// A sum that is not what was ordered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct DifferingSum {
    #[serde(flatten)]
    sum: Sum,
    /// How much the same answer shows gone back.
    #[serde(default, skip_serializing_if = "is_zero")]
    gone_back: u64,
    /// Whether a signed answer named it.
    #[serde(default, skip_serializing_if = "is_zero")]
    signed: bool,
}

/// A report's `payment.sum`, with what it takes to place it.
pub(crate) struct SumReport<'a> {
    pub(crate) operation_date: &'a str,
    pub(crate) payment_date: &'a str,
    pub(crate) signed: bool,
    pub(crate) sum: Option<&'a Sum>,
    /// Whether it shows by itself that nothing has gone back, so that its sum is what came.
    pub(crate) is_whole: bool,
    /// How much it shows gone back.
    pub(crate) gone_back: u64,
}

impl PaymentSums {
    /// Takes in what a report says.
    pub(crate) fn add(&mut self, order: Option<&Order>, report: SumReport<'_>) {
        let SumReport {
            signed,
            is_whole,
            gone_back,
            ..
        } = report;
        let Some(sum) = report.sum else {
            self.missing |= is_whole;
            return;
        };
        if is_whole && signed {
            let named = report.named(sum);
            NamedSum::keep_newer(&mut self.newest_signed, named);
        }
        let Some(order) = order else { return };
        let remainder = order.amount.get().checked_sub(gone_back);
        let is_ordered = order.is(sum);
        let is_remainder = sum.currency == order.currency.code() && Some(sum.amount) == remainder;
        match is_ordered {
            true if is_whole => {
                self.named_in_full = true;
                self.signed_in_full |= signed;
            }
            true => {}
            false if is_remainder => {}
            false => {
                self.differing.insert(DifferingSum {
                    sum: sum.clone(),
                    gone_back,
                    signed,
                });
                self.drop_explained();
                while self.differing.len() > MOST_DIFFERING {
                    self.differing.pop_first();
                }
            }
        }
    }

    /// A sum that some report named whole explains the remainders of it.
    fn drop_explained(&mut self) {
        let whole = self.differing.iter().filter(|one| one.gone_back == 0);
        let whole: Vec<Sum> = whole.map(|one| one.sum.clone()).collect();
        self.differing.retain(|one| {
            let is_same = |known: &Sum| {
                let came = one.sum.amount.saturating_add(one.gone_back);
                known.currency == one.sum.currency
                    && (known.amount == one.sum.amount || known.amount == came)
            };
            one.gone_back == 0 || !whole.iter().any(is_same)
        });
    }

    /// The sums that differ from the order. What callbacks alone said is settled by a signed answer
    /// that names exactly the order's.
    pub(crate) fn differing(&self) -> BTreeSet<Sum> {
        let counts = |one: &&DifferingSum| one.signed || !self.signed_in_full;
        let differing = self.differing.iter().filter(counts);
        differing.map(|one| one.sum.clone()).collect()
    }

    /// The sums that differ from the order, and that of the newest signed answer.
    fn named(&self) -> impl Iterator<Item = &Sum> {
        let differing = self.differing.iter().map(|one| &one.sum);
        differing.chain(self.newest_signed.iter().map(|one| &one.sum))
    }
}

impl SumReport<'_> {
    pub(in crate::model) fn named(&self, sum: &Sum) -> NamedSum {
        NamedSum {
            operation_date: self.operation_date.to_owned(),
            payment_date: self.payment_date.to_owned(),
            signed: self.signed,
            sum: sum.clone(),
        }
    }
}

impl Payment {
    /// The newest report that tells what came. A callback tells it only as long as its operation is not
    /// known to have come to nothing.
    pub(in crate::model) fn newest_sum(&self) -> Option<&NamedSum> {
        let operations = self.reported.operations.values();
        let by_callback = operations
            .filter(|operation| operation.has_succeeded())
            .filter_map(|operation| operation.payment_sum.as_ref());
        by_callback
            .chain(&self.reported.sums.newest_signed)
            .max_by(|one, other| one.cmp_age(other))
    }

    /// What came by that report. A callback that names less than the order although another report named
    /// all of it does not count: a signed answer is to say so first.
    pub(in crate::model) fn sum_that_came(&self) -> Option<Sum> {
        let newest = self.newest_sum()?;
        let order = self.order.as_ref();
        let Some(order) = order.filter(|_| self.names_less_in_doubt()) else {
            return Some(newest.sum.clone());
        };
        Some(match &self.reported.sums.newest_signed {
            Some(signed) => signed.sum.clone(),
            None => Sum {
                amount: order.amount.get(),
                currency: order.currency.code().to_owned(),
            },
        })
    }

    /// Whether a callback names less than the order, and other reports named all of it; or names
    /// anything else, and a signed answer named the order's sum.
    pub(in crate::model) fn names_less_in_doubt(&self) -> bool {
        let (Some(newest), Some(order)) = (self.newest_sum(), &self.order) else {
            return false;
        };
        let is_other_currency = newest.sum.currency != order.currency.code();
        let is_lower = newest.sum.amount < order.amount.get() || is_other_currency;
        let sums = &self.reported.sums;
        let is_against_answer = sums.signed_in_full && !order.is(&newest.sum);
        !newest.signed && (is_lower && sums.named_in_full || is_against_answer)
    }

    /// Whether a success came without a sum, and no report named one.
    pub(in crate::model) fn is_sum_missing(&self) -> bool {
        self.reported.sums.missing && self.newest_sum().is_none()
    }

    /// Every `payment.sum` that a report named.
    pub(in crate::model) fn named_sums(&self) -> BTreeSet<Sum> {
        let newest = self.newest_sum().map(|one| &one.sum);
        self.reported.sums.named().chain(newest).cloned().collect()
    }
}
