//! Gate's synchronous answers. A refused request may be forgotten; everything unclear stays open.

use ecommpay::answer::Answer;

use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{GateRequest, Payment};

pub(super) fn take_sale(payment: &mut Payment, attempt: u32, answer: &Answer, at: Timestamp) {
    if attempt != payment.attempt().number() {
        return;
    }
    let polls_sent = payment.polling().polls_sent();
    let request = payment.sale_request_mut();
    let is_repeat = matches!(
        request,
        GateRequest::Unknown { .. } | GateRequest::Sending { repeat: true, .. }
    );
    request.on_answer(answer, polls_sent, at);
    // From now on there is something to report.
    if is_repeat && matches!(request, GateRequest::Accepted { .. }) {
        payment.polling_mut().start(at);
    }
}

/// An operation that is known already says more.
pub(super) fn take_refund(
    payment: &mut Payment,
    refund_id: &MerchantId,
    answer: &Answer,
    at: Timestamp,
) {
    let is_ended = payment
        .refund(refund_id)
        .is_some_and(|refund| refund.operation_id().is_some() && !refund.status().is_reserved());
    let polls_sent = payment.polling().polls_sent();
    if let Some(request) = payment.refund_request_mut(refund_id).filter(|_| !is_ended) {
        request.on_answer(answer, polls_sent, at);
    }
}
