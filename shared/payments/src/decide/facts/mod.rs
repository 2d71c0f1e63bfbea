//! Taking in facts: one file for each source.

mod callback;
mod gate_answer;
mod status_answer;

use super::Fact;
use crate::model::Payment;
use crate::model::timestamp::Timestamp;

/// `known`: the payment before; `None` if nothing was known of it.
pub(super) fn take(payment: &mut Payment, known: Option<&Payment>, fact: Fact<'_>, at: Timestamp) {
    match fact {
        Fact::Callback(report) => callback::take(payment, known, report, at),
        Fact::Hint(_) => payment.polling_mut().recheck_now(at),
        Fact::StatusAnswer { report, poll } => status_answer::take(payment, report, poll, at),
        Fact::NotFound { poll, signed } => payment.polling_mut().not_found(poll, signed),
        Fact::SaleAnswer { attempt, answer } => {
            gate_answer::take_sale(payment, attempt, answer, at)
        }
        Fact::RefundAnswer { refund_id, answer } => {
            gate_answer::take_refund(payment, refund_id, answer, at)
        }
        Fact::ClarificationAccepted { digest } => {
            payment.clarification_answered(digest);
            payment.polling_mut().start(at);
        }
        Fact::PlatformRecord { record, .. } => payment.add_discrepancies(record, at),
        Fact::EarlierPayments { ids } => {
            if payment.paid_order().is_some() {
                payment.add_earlier_payments(ids);
            }
        }
    }
}
