//! What one report says of an operation, and which of two reports counts.

use std::cmp::Ordering;

use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::is_zero;
use super::waiting::Waiting;
use crate::timestamp::Timestamp;

/// When a report was made; the greater one is newer: `operation.date`, `payment.date`, the start of its canonical string's digest.
/// The dates have whole seconds, so the digest decides between two reports of one second, the same
/// way in whatever order they arrive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportOrder(pub(super) String, pub(super) String, pub(super) String);

impl ReportOrder {
    /// `digest`: the start of the digest of the report's canonical string.
    pub(crate) fn new(operation_date: &str, payment_date: &str, digest: &str) -> Self {
        Self(operation_date.into(), payment_date.into(), digest.into())
    }

    pub(super) fn dates(&self) -> (&str, &str) {
        (&self.0, &self.1)
    }

    /// `operation.date`, by the platform's clock; `None` if it cannot be read.
    pub(crate) fn operation_date(&self) -> Option<Timestamp> {
        Timestamp::of_platform(&self.0)
    }
}

/// A report that leaves the operation open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub(super) order: ReportOrder,
    pub(super) kind: OperationType,
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum: Option<Sum>,
    /// The newest report that says what the operation waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) waiting: Option<Waiting>,
}

impl Pending {
    /// The newer report wins; within one second, the greater sum.
    pub(super) fn rank(&self, other: &Self) -> Ordering {
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
    pub(super) signed: bool,
    pub(super) outcome: Outcome,
    pub(super) kind: OperationType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum_initial: Option<Sum>,
    /// Only where it differs from `sum_initial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum_converted: Option<Sum>,
    /// The payment was declined too, so the shopper has no other try.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) ends_payment: bool,
    pub(super) order: ReportOrder,
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
}

/// `payment.status` with the dates of its report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentStatus {
    /// `operation.date`.
    pub(super) operation_date: String,
    /// `payment.date`.
    pub(super) payment_date: String,
    /// Whether it came in a signed answer.
    pub(super) signed: bool,
    /// Dates have whole seconds; within one, a report that has a confirmation follows one that has
    /// only the sale.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) has_confirmation: bool,
    /// Orders the statuses of one second.
    pub(super) stage: u8,
    /// The raw status.
    pub(super) status: String,
}

impl PaymentStatus {
    pub(crate) fn new(
        operation_date: &str,
        payment_date: &str,
        status: &str,
        signed: bool,
        has_confirmation: bool,
    ) -> Self {
        Self {
            operation_date: operation_date.to_owned(),
            payment_date: payment_date.to_owned(),
            signed,
            has_confirmation,
            stage: stage(status),
            status: status.to_owned(),
        }
    }

    /// The raw status.
    pub fn as_str(&self) -> &str {
        &self.status
    }
}

/// Orders the statuses reported within one second.
pub(super) fn stage(status: &str) -> u8 {
    match status {
        "refunded" | "reversed" => 5,
        "partially refunded" | "partially reversed" => 4,
        "awaiting confirmation" => 1,
        other => match Outcome::of_status(other) {
            Outcome::Succeeded => 3,
            Outcome::Declined => 2,
            Outcome::Pending => 0,
        },
    }
}

impl FinalReport {
    /// What a report says, signed or not.
    pub(super) fn content(&self) -> (Outcome, &OperationType, [&Option<Sum>; 2], bool) {
        let sums = [&self.sum_initial, &self.sum_converted];
        (self.outcome, &self.kind, sums, self.ends_payment)
    }

    /// Orders final reports; the greatest counts. Signed beats unsigned; another type beats a
    /// confirmation; success beats decline, so a contradicting report does not remove money; then the
    /// newest, within one second the greater sum. Of a confirmation the date ranks before the outcome.
    pub(super) fn rank(&self, other: &Self) -> Ordering {
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
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let is_done = self.outcome == Outcome::Succeeded;
        let money = |one: &Self| (one.kind.clone(), one.sum_initial.clone());
        self.outcome == other.outcome && (!is_done || money(self) == money(other))
    }
}
