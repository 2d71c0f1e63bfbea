//! `payment.sum`, as far as the reports name it: what came, and what differs from the order.
//!
//! After a refund `payment.sum` is the remainder in one documentation and the original amount in
//! another. So only a report that shows by itself that nothing has gone back tells what came. All
//! that differed is kept: a later report that names the sum no more erases nothing.

use std::collections::BTreeSet;

use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::order::Order;
use super::is_zero;

/// At most this many differing sums are kept, the greatest ones.
const MOST_DIFFERING: usize = 16;

/// What reports say of `payment.sum`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSums {
    /// Of the newest report that tells what came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<NamedSum>,
    /// Of the newest signed answer that does.
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
struct NamedSum {
    operation_date: String,
    payment_date: String,
    signed: bool,
    sum: Sum,
}

impl NamedSum {
    /// The newer one counts, of one second a signed one, and of those the lower one.
    fn is_newer_than(&self, other: &Option<Self>) -> bool {
        let age = |one: &Self| (one.operation_date.clone(), one.payment_date.clone(), one.signed);
        other.as_ref().is_none_or(|other| {
            let by_age = age(self).cmp(&age(other));
            by_age.then_with(|| other.sum.cmp(&self.sum)).is_gt()
        })
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
        if is_whole {
            let named = NamedSum {
                operation_date: report.operation_date.to_owned(),
                payment_date: report.payment_date.to_owned(),
                signed,
                sum: sum.clone(),
            };
            if signed && named.is_newer_than(&self.newest_signed) {
                self.newest_signed = Some(named.clone());
            }
            if named.is_newer_than(&self.newest) {
                self.newest = Some(named);
            }
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

    /// What came by the newest report that tells it; `None` if none does. A callback that names less
    /// than the order although another report named all of it does not count: a signed answer is to
    /// say so first.
    pub(crate) fn came(&self, order: Option<&Order>) -> Option<Sum> {
        let newest = self.newest.as_ref()?;
        match order.filter(|order| self.is_lower_in_doubt(order)) {
            None => Some(newest.sum.clone()),
            Some(order) => Some(match &self.newest_signed {
                Some(signed) => signed.sum.clone(),
                None => Sum {
                    amount: order.amount.get(),
                    currency: order.currency.code().to_owned(),
                },
            }),
        }
    }

    /// Whether a callback names less than the order, and other reports named all of it.
    pub(crate) fn is_lower_in_doubt(&self, order: &Order) -> bool {
        self.newest.as_ref().is_some_and(|newest| {
            let is_lower =
                newest.sum.amount < order.amount.get() || newest.sum.currency != order.currency.code();
            !newest.signed && is_lower && self.named_in_full
        })
    }

    /// Whether a success came without a sum, and no report named one.
    pub(crate) fn is_missing(&self) -> bool {
        self.missing && self.newest.is_none()
    }

    /// The sums that differ from the order. What callbacks alone said is settled by a signed answer
    /// that names exactly the order's.
    pub(crate) fn differing(&self) -> BTreeSet<Sum> {
        let counts = |one: &&DifferingSum| one.signed || !self.signed_in_full;
        let differing = self.differing.iter().filter(counts);
        differing.map(|one| one.sum.clone()).collect()
    }

    /// Every sum that a report named.
    pub(crate) fn named(&self) -> BTreeSet<Sum> {
        let differing = self.differing.iter().map(|one| &one.sum);
        let newest = [&self.newest, &self.newest_signed];
        let newest = newest.into_iter().flatten().map(|one| &one.sum);
        differing.chain(newest).cloned().collect()
    }

    /// The currency of what came.
    pub(crate) fn currency(&self) -> Option<&str> {
        Some(self.newest.as_ref()?.sum.currency.as_str())
    }
}
