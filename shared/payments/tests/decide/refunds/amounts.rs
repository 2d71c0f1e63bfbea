//! Tests refunds of ours that the platform ends with another amount than requested.

use payments::model::{QuarantineReason, Status};
use serde_json::json;

use crate::fixtures::*;

/// Returns a paid payment of 10.00 EUR. A refund of 2.50 EUR was requested, and a callback says that the refund
/// succeeded with `amount`.
fn refunded(amount: u64) -> TestPayment {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(250)).unwrap();
    payment.deliver(&operation(amount));
    payment
}

fn operation(amount: u64) -> payments::service::callback::Verified {
    let ids = json!({ "merchant_refund_id": "r-1", "sum_initial": reports::euros(amount) });
    refund_operation("7", "success", ids)
}

#[test]
fn a_refund_with_another_amount_than_requested_causes_a_recheck_and_then_a_quarantine() {
    for amount in [200, 400] {
        let mut payment = refunded(amount);
        assert_eq!(payment.last_kind(), "refund.succeeded");
        assert_eq!(payment.last_data()["refund"]["amount"], amount);
        assert_eq!(payment.view()["refunds"][0]["amount"], amount);
        assert_eq!(payment.refund_sums(), (amount, 0, 1000 - amount));
        assert!(payment.needs_recheck());
        assert_eq!(payment.status(), Status::PartiallyRefunded);
        payment.poll_now(NOW, &operation(amount));
        assert_eq!(payment.status(), Status::Quarantined);
        let reasons = payment.quarantine_reasons();
        assert_eq!(reasons, [QuarantineReason::RefundDiffers].into());
        assert_eq!(payment.last_kind(), "payment.quarantined");
        assert_eq!(payment.refund_sums(), (amount, 0, 1000 - amount));
        assert!(!payment.needs_recheck());
    }
}

#[test]
fn a_signed_answer_with_the_requested_amount_restores_the_refund() {
    let mut payment = refunded(200);
    payment.poll_now(NOW, &operation(250));
    assert_eq!(payment.status(), Status::PartiallyRefunded);
    assert_eq!(payment.refund_sums(), (250, 0, 750));
    assert_eq!(payment.view()["refunds"][0]["amount"], 250);
    assert!(!payment.needs_recheck());
}

#[test]
fn a_refund_with_the_requested_amount_needs_no_recheck() {
    assert!(!refunded(250).needs_recheck());
}
