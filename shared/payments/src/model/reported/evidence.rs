//! Decides how well the final reports of an operation support its outcome.

use ecommpay::operation::{OperationType, Outcome};
use serde::Serialize;

use super::operation::Operation;
use super::operation_report::FinalReport;

/// How well the reports support the outcome of an operation, from its final reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Only callbacks report the operation, and they agree. A pending operation also has this value.
    Reported,
    /// Callbacks contradict each other, and no signed answer has decided. For a confirmation: a callback contradicts
    /// the outcome, and no newer signed answer has decided.
    Disputed,
    /// A signed answer decided.
    Confirmed,
    /// A callback reported a success, but the signed answers decline the operation.
    Overruled,
    /// Signed answers contradict each other. Or they contradict the type of a sale that callbacks report as successful.
    /// Or the newest signed answer does not list an operation that changes the amounts of the payment.
    Contradictory,
}

impl Operation {
    /// Returns how well the reports support the outcome; [`Evidence::Reported`] while the operation is pending.
    pub fn evidence(&self) -> Evidence {
        let Some(effective) = self.effective_report() else {
            return Evidence::Reported;
        };
        if effective.kind == OperationType::Confirmation {
            return self.evidence_of_confirmation(effective);
        }
        let is_contradicted = self
            .effective_source()
            .any(|report| !report.agrees_with(effective));
        let is_success = |report: &FinalReport| report.outcome == Outcome::Succeeded;
        match effective.signed {
            true if is_contradicted => Evidence::Contradictory,
            true if !is_success(effective) && self.finals.iter().any(is_success) => {
                Evidence::Overruled
            }
            true => Evidence::Confirmed,
            false if self.is_type_contradicted() => Evidence::Contradictory,
            false if is_contradicted => Evidence::Disputed,
            false => Evidence::Reported,
        }
    }

    /// Returns the evidence of a confirmation. The bank can credit money after a decline, and reverse a credit. The
    /// newest signed answer therefore decides, until a newer callback contradicts that answer.
    fn evidence_of_confirmation(&self, effective: &FinalReport) -> Evidence {
        let contradicts = |report: &&FinalReport| report.outcome != effective.outcome;
        let is_newer = |report: &FinalReport| report.order.dates() > effective.order.dates();
        let mut contradictions = self.finals.iter().filter(contradicts);
        match effective.signed {
            true if contradictions.any(|report| !report.signed && is_newer(report)) => {
                Evidence::Disputed
            }
            true => Evidence::Confirmed,
            false if contradictions.next().is_some() => Evidence::Disputed,
            false => Evidence::Reported,
        }
    }

    /// Whether the operation is declined, and this decline ends the payment. The decline ends the payment if
    /// `payment.status` declined the whole payment, or if signed answers overrule a reported success.
    pub(in crate::model) fn ends_payment(&self) -> bool {
        let is_end = |report: &FinalReport| report.ends_payment;
        let is_overruled = self.evidence() == Evidence::Overruled;
        self.is_declined() && (is_overruled || self.finals.iter().any(is_end))
    }
}
