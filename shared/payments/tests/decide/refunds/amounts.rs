//! Tests refunds of ours that the platform ends with another amount than requested, and external refunds without an
//! amount.

use payments::decide::Rejection;
use payments::model::{QuarantineReason, Status, Verdict};
use serde_json::{Value, json};

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

/// Returns a payment of 10.00 EUR after a callback about an external refund without a sum in EUR.
fn with_refund_of_unknown_amount(status: &str, sum: &Value) -> TestPayment {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_operation(
        "7",
        status,
        json!({ "sum_initial": sum }),
    ));
    payment
}

#[test]
fn nothing_can_be_refunded_until_a_signed_answer_names_the_sum_of_an_external_refund() {
    for status in ["success", "processing"] {
        for sum in [Value::Null, json!({ "amount": 250, "currency": "USD" })] {
            let mut payment = with_refund_of_unknown_amount(status, &sum);
            assert_eq!(payment.refund_sums(), (0, 0, 0), "{status} {sum}");
            let refused = Err(Rejection::MoreThanLeft(0));
            assert_eq!(payment.reserve("r-1", None), refused, "{status} {sum}");
            assert!(poll_at(&payment).is_some(), "{status} {sum}");
            let known = json!({ "sum_initial": reports::euros(250) });
            payment.poll_now(NOW, &refund_operation("7", "success", known));
            assert_eq!(payment.refund_sums(), (250, 0, 750), "{status} {sum}");
        }
    }
}

#[test]
fn a_declined_external_refund_without_a_sum_prevents_no_refund() {
    let mut payment = with_refund_of_unknown_amount("decline", &Value::Null);
    assert_eq!(payment.reserve("r-1", None), Ok(true));
}

#[test]
fn a_rejection_sends_no_refund_while_the_amount_of_an_external_refund_is_unknown() {
    let mut payment = with_refund_of_unknown_amount("success", &Value::Null);
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    assert_eq!(payment.refunds().len(), 1);
    assert_eq!(payment.status(), Status::Quarantined);
}

#[test]
fn a_refund_of_unknown_amount_prevents_no_refund_after_its_release() {
    let mut payment = with_refund_of_unknown_amount("success", &Value::Null);
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    assert_eq!(payment.refund_sums(), (0, 0, 1000));
}
