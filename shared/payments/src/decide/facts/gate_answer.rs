//! Applies Gate's answer to a sale or refund request. The answer says only whether the platform accepted the request.

use ecommpay::answer::Answer;

use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{GateRequest, Payment};

/// Applies the answer to a sale request. Ignores an answer to the request of an earlier attempt.
pub(super) fn apply_to_sale(payment: &mut Payment, attempt: u32, answer: &Answer, at: Timestamp) {
    if attempt != payment.attempt().number() {
        return;
    }
    let polls_sent = payment.polling().polls_sent();
    let attempt = payment.attempt_mut();
    let is_repeat = matches!(
        attempt.request(),
        GateRequest::Unknown { .. } | GateRequest::Sending { repeat: true, .. }
    );
    attempt.on_answer(answer, polls_sent, at);
    // The platform starts the sale only with this repeat, so a report is expected soon.
    if is_repeat && matches!(attempt.request(), GateRequest::Accepted { .. }) {
        payment.polling_mut().restart(at);
    }
}

/// Applies the answer to a refund request. Ignores the answer if an operation has decided the refund.
pub(super) fn apply_to_refund(
    payment: &mut Payment,
    refund_id: &MerchantId,
    answer: &Answer,
    at: Timestamp,
) {
    let is_decided = payment
        .refund(refund_id)
        .is_some_and(|refund| refund.operation_id().is_some() && !refund.status().is_reserved());
    let polls_sent = payment.polling().polls_sent();
    let request = payment.refund_request_mut(refund_id);
    if let Some(request) = request.filter(|_| !is_decided) {
        request.on_answer(answer, polls_sent, at);
    }
}
