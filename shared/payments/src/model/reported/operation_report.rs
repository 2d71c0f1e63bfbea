//! Defines the reports of one operation, and ranks them.

use std::cmp::Ordering;

use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::report_order::ReportOrder;
use super::waiting::Waiting;
use crate::model::attempt::gate_request::is_processing_failure;
use crate::model::quarantine::FIRST_DATE;
use crate::model::serde_skip::is_default;
use crate::model::timestamp::Timestamp;

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
    /// The newest redirect or clarification request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) waiting: Option<Waiting>,
}

impl Pending {
    /// Compares two reports; the greater report counts. The newer report is greater. At the same dates, the report with
    /// the greater sum is greater.
    pub(super) fn rank(&self, other: &Self) -> Ordering {
        let dates = self.order.dates().cmp(&other.order.dates());
        dates
            .then_with(|| amount_of(&self.sum).cmp(&amount_of(&other.sum)))
            // An operation that is stored as a short text has no digest. Therefore the type is compared before the
            // digest.
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| self.order.cmp(&other.order))
            .then_with(|| self.status.cmp(&other.status))
    }
}

/// Orders dates: first the dates from `FIRST_DATE` on, and then all other texts.
pub(super) fn date_rank(date: &str) -> (bool, &str) {
    let time = Timestamp::of_platform(date);
    let is_usable = time.is_some_and(|time| FIRST_DATE <= time);
    (!is_usable, date)
}

fn amount_of(sum: &Option<Sum>) -> Option<u64> {
    sum.as_ref().map(|sum| sum.amount)
}

/// A report of an operation that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalReport {
    /// Whether the report is a signed answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) signed: bool,
    pub(super) outcome: Outcome,
    pub(super) kind: OperationType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum_initial: Option<Sum>,
    /// `None` if the report has no `sum_converted`, or if it equals `sum_initial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum_converted: Option<Sum>,
    /// Whether `payment.status` declined the whole payment, so that the shopper cannot try again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) ends_payment: bool,
    pub(super) order: ReportOrder,
    /// The first `operation.date` of repeated reports with this content and source, if it differs from the date in
    /// `order`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_date: Option<String>,
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
}

impl FinalReport {
    /// Merges two reports with the same content. The signed answer stays, or else the newer report.
    pub(super) fn merged(self, other: Self) -> Self {
        let strength = |report: &Self| (report.signed, report.order.clone());
        let (weaker, mut stronger) = match strength(&self) < strength(&other) {
            true => (self, other),
            false => (other, self),
        };
        let is_first = date_rank(weaker.first_date()) < date_rank(stronger.first_date());
        if weaker.signed == stronger.signed && is_first {
            stronger.first_date = Some(weaker.first_date().to_owned());
        }
        stronger
    }

    pub(super) fn first_date(&self) -> &str {
        self.first_date.as_deref().unwrap_or(self.order.dates().0)
    }

    /// Returns the parts that distinguish reports. Reports that are equal in these parts are stored once.
    pub(super) fn content(&self) -> (Outcome, &OperationType, [&Option<Sum>; 2], bool) {
        let sums = [&self.sum_initial, &self.sum_converted];
        (self.outcome, &self.kind, sums, self.ends_payment)
    }

    /// Whether the content of two reports is equal except for `sum_converted`.
    pub(super) fn is_same_unconverted(&self, other: &Self) -> bool {
        let (outcome, kind, [sum, _], ends_payment) = self.content();
        let (other_outcome, other_kind, [other_sum, _], other_ends) = other.content();
        (outcome, kind, sum, ends_payment) == (other_outcome, other_kind, other_sum, other_ends)
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

    pub(super) fn is_successful_sale(&self) -> bool {
        self.kind == OperationType::Sale && self.outcome == Outcome::Succeeded
    }

    /// Whether two reports agree on the outcome. Successes must also agree on the type and `sum_initial`. After a
    /// failed processing, the operation can still succeed, so such a decline agrees with a success that is not older.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let has_failed = |report: &Self| {
            let code = report.code.as_deref();
            report.outcome == Outcome::Declined && code.is_some_and(is_processing_failure)
        };
        let is_older = || other.order.dates().0 < self.order.dates().0;
        if has_failed(self) && other.outcome == Outcome::Succeeded && !is_older() {
            return true;
        }
        let is_success = self.outcome == Outcome::Succeeded;
        let is_same_money = self.kind == other.kind && self.sum_initial == other.sum_initial;
        self.outcome == other.outcome && (!is_success || is_same_money)
    }
}
