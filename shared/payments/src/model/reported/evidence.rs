//! Decides how well the final reports of an operation support its outcome.

use ecommpay::operation::{OperationType, Outcome};
use serde::Serialize;

use super::operation::Operation;
use super::operation_report::FinalReport;

/// How well the final reports support the outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Only callbacks report the operation, and they agree. Also used while the operation is pending.
    Reported,
    /// Reports contradict each other, and a new signed answer must decide.
    Disputed,
    /// A signed answer decides the outcome.
    Confirmed,
    /// Signed answers decline the operation, although a callback reported a success.
    Overruled,
    /// Signed answers contradict each other, or they give another type to a sale that a callback calls a success. Also
    /// used if the newest signed answer does not list an operation that changes the amounts.
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

    /// The bank can credit money after a decline, or reverse a credit. Therefore the newest signed answer about a
    /// confirmation decides. If a newer callback contradicts this answer, the confirmation is disputed.
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

    /// Whether the operation is declined and the shopper cannot try again. This is the case if `payment.status`
    /// declined the whole payment, or if signed answers overrule a success.
    pub(in crate::model) fn ends_payment(&self) -> bool {
        let is_end = |report: &FinalReport| report.ends_payment;
        let is_overruled = self.evidence() == Evidence::Overruled;
        self.is_declined() && (is_overruled || self.finals.iter().any(is_end))
    }
}
