//! Defines the reports of one operation, and decides which of these reports counts.

use std::cmp::Ordering;

use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::report_order::ReportOrder;
use super::waiting::Waiting;
use crate::model::serde_skip::is_default;

/// A report of an operation that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub(super) order: ReportOrder,
    pub(super) kind: OperationType,
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum: Option<Sum>,
    /// What the operation waits for, from the newest report that requests something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) waiting: Option<Waiting>,
}

impl Pending {
    /// Compares two reports; the greater report counts. The newer report is greater. If both dates are equal, the
    /// report with the greater sum is greater.
    pub(super) fn rank(&self, other: &Self) -> Ordering {
        let dates = self.order.dates().cmp(&other.order.dates());
        dates
            .then_with(|| amount_of(&self.sum).cmp(&amount_of(&other.sum)))
            // An operation without details has no digest. Therefore the type is compared before the digest.
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| self.order.cmp(&other.order))
            .then_with(|| self.status.cmp(&other.status))
    }
}

fn amount_of(sum: &Option<Sum>) -> Option<u64> {
    sum.as_ref().map(|sum| sum.amount)
}

/// A report of an operation that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalReport {
    /// Whether the report is a signed status answer, which outweighs callbacks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) signed: bool,
    pub(super) outcome: Outcome,
    pub(super) kind: OperationType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum_initial: Option<Sum>,
    /// `None` if the report has no `sum_converted`, or the same sum as `sum_initial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum_converted: Option<Sum>,
    /// Whether `payment.status` declined the whole payment. Then the shopper cannot try again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) ends_payment: bool,
    pub(super) order: ReportOrder,
    /// `operation.date` of the oldest report of this content from the same source, if it differs from the date in
    /// `order`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_date: Option<String>,
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
}

impl FinalReport {
    /// Merges two reports with the same content: the signed answer, or else the newer report, is returned.
    pub(super) fn merged(self, other: Self) -> Self {
        let strength = |report: &Self| (report.signed, report.order.clone());
        let (weaker, mut stronger) = match strength(&self) < strength(&other) {
            true => (self, other),
            false => (other, self),
        };
        let has_same_source = weaker.signed == stronger.signed;
        if has_same_source && weaker.first_date() < stronger.first_date() {
            stronger.first_date = Some(weaker.first_date().to_owned());
        }
        stronger
    }

    /// Returns `operation.date` of the oldest report of this content from the same source.
    pub(super) fn first_date(&self) -> &str {
        self.first_date.as_deref().unwrap_or(self.order.dates().0)
    }

    /// Returns the parts that make a report distinct. Only one of several reports with the same parts is stored.
    pub(super) fn content(&self) -> (Outcome, &OperationType, [&Option<Sum>; 2], bool) {
        let sums = [&self.sum_initial, &self.sum_converted];
        (self.outcome, &self.kind, sums, self.ends_payment)
    }

    /// Compares two reports; the greater report counts. The first rule that distinguishes the reports decides:
    ///
    /// 1. A signed answer is greater than a callback.
    /// 2. A report of another type is greater than a report of a confirmation.
    /// 3. A success is greater than a decline, so that a contradicting report removes no money.
    /// 4. A report of a sale is greater than a report of another type.
    /// 5. The newer report is greater than the older report.
    /// 6. The report with the greater `sum_initial` is greater.
    ///
    /// For two reports of a confirmation, rule 5 precedes rule 3, because the bank can reverse a credit.
    pub(super) fn rank(&self, other: &Self) -> Ordering {
        let is_confirmation = |report: &Self| report.kind == OperationType::Confirmation;
        let strength = |report: &Self| (report.outcome, report.kind == OperationType::Sale);
        let by_source = self
            .signed
            .cmp(&other.signed)
            .then_with(|| is_confirmation(other).cmp(&is_confirmation(self)));
        let by_strength = || strength(self).cmp(&strength(other));
        let by_date = || self.order.dates().cmp(&other.order.dates());
        let ranked = match is_confirmation(self) {
            true => by_source.then_with(by_date).then_with(by_strength),
            false => by_source.then_with(by_strength).then_with(by_date),
        };
        ranked
            .then_with(|| amount_of(&self.sum_initial).cmp(&amount_of(&other.sum_initial)))
            .then_with(|| self.order.cmp(&other.order))
            .then_with(|| self.content().cmp(&other.content()))
    }

    /// Whether the report says that a sale succeeded.
    pub(super) fn is_successful_sale(&self) -> bool {
        self.kind == OperationType::Sale && self.outcome == Outcome::Succeeded
    }

    /// Whether two reports have the same outcome. Two successes must also have the same type and `sum_initial`.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let is_success = self.outcome == Outcome::Succeeded;
        let is_same_money = self.kind == other.kind && self.sum_initial == other.sum_initial;
        self.outcome == other.outcome && (!is_success || is_same_money)
    }
}
