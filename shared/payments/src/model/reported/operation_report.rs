//! What one report says of an operation, and which of two reports counts.

use std::cmp::Ordering;

use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::report_order::ReportOrder;
use super::waiting::Waiting;
use crate::model::is_zero;

/// A report that leaves the operation open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub(in crate::model) order: ReportOrder,
    pub(in crate::model) kind: OperationType,
    pub(in crate::model) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) sum: Option<Sum>,
    /// The newest report that says what the operation waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) waiting: Option<Waiting>,
}

impl Pending {
    /// The newer report wins; within one second, the greater sum.
    pub(in crate::model) fn rank(&self, other: &Self) -> Ordering {
        let dates = self.order.dates().cmp(&other.order.dates());
        dates
            .then_with(|| amount_of(&self.sum).cmp(&amount_of(&other.sum)))
            .then_with(|| self.order.cmp(&other.order))
            .then_with(|| self.status.cmp(&other.status))
    }
}

fn amount_of(sum: &Option<Sum>) -> Option<u64> {
    sum.as_ref().map(|sum| sum.amount)
}

/// A report that ends the operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalReport {
    /// Whether it came in a signed answer to a status request, which outweighs callbacks.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::model) signed: bool,
    pub(in crate::model) outcome: Outcome,
    pub(in crate::model) kind: OperationType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) sum_initial: Option<Sum>,
    /// Only where it differs from `sum_initial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) sum_converted: Option<Sum>,
    /// The payment was declined too, so the shopper has no other try.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::model) ends_payment: bool,
    pub(in crate::model) order: ReportOrder,
    pub(in crate::model) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) code: Option<String>,
}

impl FinalReport {
    /// What a report says, signed or not.
    pub(in crate::model) fn content(&self) -> (Outcome, &OperationType, [&Option<Sum>; 2], bool) {
        let sums = [&self.sum_initial, &self.sum_converted];
        (self.outcome, &self.kind, sums, self.ends_payment)
    }

    /// Orders final reports; the greatest counts. Signed beats unsigned; another type beats a
    /// confirmation; success beats decline, so a contradicting report does not remove money; then the
    /// newest, within one second the greater sum. Of a confirmation the date ranks before the outcome.
    pub(in crate::model) fn rank(&self, other: &Self) -> Ordering {
        let is_confirmation = |one: &Self| one.kind == OperationType::Confirmation;
        let is_sale = |one: &Self| one.kind == OperationType::Sale;
        let strength = |one: &Self| (one.outcome, is_sale(one));
        let first = self
            .signed
            .cmp(&other.signed)
            .then_with(|| is_confirmation(other).cmp(&is_confirmation(self)));
        let by_strength = || strength(self).cmp(&strength(other));
        let by_date = || self.order.dates().cmp(&other.order.dates());
        let first = match is_confirmation(self) {
            true => first.then_with(by_date).then_with(by_strength),
            false => first.then_with(by_strength).then_with(by_date),
        };
        first
            .then_with(|| amount_of(&self.sum_initial).cmp(&amount_of(&other.sum_initial)))
            .then_with(|| self.order.cmp(&other.order))
            .then_with(|| self.content().cmp(&other.content()))
    }

    /// Whether two reports agree; two declines always do.
    pub(in crate::model) fn agrees_with(&self, other: &Self) -> bool {
        let is_done = self.outcome == Outcome::Succeeded;
        let money = |one: &Self| (one.kind.clone(), one.sum_initial.clone());
        self.outcome == other.outcome && (!is_done || money(self) == money(other))
    }
}
