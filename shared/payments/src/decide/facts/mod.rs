//! Applies facts.

mod callback;
mod gate_answer;
mod status_answer;

use super::fact::Fact;
use crate::model::Payment;
use crate::model::timestamp::Timestamp;

/// Applies a fact. `known` is the payment before the fact; `None` if the payment was not stored.
pub(super) fn apply(payment: &mut Payment, known: Option<&Payment>, fact: Fact<'_>, at: Timestamp) {
    match fact {
        Fact::Callback(report) => callback::apply(payment, known, report, at),
        Fact::Hint(_) => payment.polling_mut().request_recheck(at),
        Fact::StatusAnswer { report, poll } => status_answer::apply(payment, report, poll, at),
        Fact::NotFound { poll, signed } => payment.polling_mut().record_not_found(poll, signed),
        Fact::SaleAnswer { attempt, answer } => {
            gate_answer::apply_to_sale(payment, attempt, answer, at);
        }
        Fact::RefundAnswer { refund_id, answer } => {
            gate_answer::apply_to_refund(payment, refund_id, answer, at);
        }
        Fact::ClarificationAccepted { digest } => {
            payment.record_clarification_answer(digest);
            payment.polling_mut().restart(at);
        }
        Fact::PlatformRecord { record, .. } => payment.add_discrepancies(record, at),
        Fact::EarlierPayments { ids } => {
            if payment.paid_order().is_some() {
                payment.add_earlier_payments(ids);
            }
        }
    }
}
