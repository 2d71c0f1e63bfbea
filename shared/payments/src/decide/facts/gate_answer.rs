//! Applies Gate's answer to a sale or refund request. The answer says only whether the platform accepted the request.

use ecommpay::answer::Answer;

use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{GateRequest, Payment};

/// Ignores an answer to the request of an earlier attempt.
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
    // The sale started only with this repeat, so a report is expected soon.
    if is_repeat && matches!(attempt.request(), GateRequest::Accepted { .. }) {
        payment.polling_mut().restart(at);
    }
}

/// Stores the `request_id` of the answer even if a report has already ended the refund.
pub(super) fn apply_to_refund(
    payment: &mut Payment,
    refund_id: &MerchantId,
    answer: &Answer,
    at: Timestamp,
) {
    let polls_sent = payment.polling().polls_sent();
    if let Some(request) = payment.refund_request_mut(refund_id) {
        request.on_refund_answer(answer, polls_sent, at);
    }
}
