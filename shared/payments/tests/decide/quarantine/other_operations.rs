//! Tests operations that are neither sale nor refund: manual changes, undocumented types, and types that move no money.

use payments::model::{QuarantineReason, Status, Verdict};
use payments::service::callback::Verified;

use crate::fixtures::*;

/// Returns a payment that received 9.00 EUR by an operation of this undocumented type. The operation counts only after
/// a signed answer lists it.
fn captured_by(kind: &str) -> TestPayment {
    let mut payment = TestPayment::with_callbacks(&["processing"]);
    payment.deliver(&edited("manual_change_success", |body| {
        body["operation"]["type"] = kind.into();
    }));
    assert_eq!(payment.status(), Status::Processing);
    assert_eq!(payment.paid_amount(), 0);
    assert_eq!(poll_at(&payment), Some(payment.now));
    payment.poll_now(
        NOW,
        &edited("status_manual_change", |body| {
            let operations = body["operations"].as_array_mut().unwrap();
            for operation in operations {
                if operation["type"] == "manual change" {
                    operation["type"] = kind.into();
                }
            }
        }),
    );
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.paid_amount(), 900);
    assert_eq!(payment.refundable_amount(), 900);
    assert_eq!(poll_at(&payment), None);
    payment
}

#[test]
fn an_operation_of_any_undocumented_type_counts_when_an_answer_lists_it() {
    for kind in ["payout", "capture settlement", "manual change"] {
        assert_eq!(captured_by(kind).paid_amount(), 900, "{kind}");
    }
}

#[test]
fn a_rejected_manual_change_is_refunded() {
    let mut payment = captured_by("manual change");
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.refund_sums(), (0, 900, 0));
    let refund_id = payment.refunds()[0].refund_id().unwrap().to_string();
    payment.refund_reported(&refund_id, "7", 900);
    assert_eq!(payment.status(), Status::Refunded);
    assert_eq!(payment.refund_sums(), (900, 0, 0));
}

#[test]
fn a_released_manual_change_counts_as_paid_with_its_sum() {
    let mut payment = captured_by("manual change");
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.last_kind(), "payment.succeeded");
    assert_eq!(payment.last_data()["paid_amount"], 900);
}

/// Returns a callback about an operation of this type, and a status answer that lists a successful sale and this
/// operation.
fn besides_sale(kind: &str) -> [Verified; 2] {
    let callback = edited("sale_success", |body| {
        body["operation"]["id"] = 99.into();
        body["operation"]["type"] = kind.into();
    });
    let answer = edited("status_many_operations", |body| {
        body["payment"]["status"] = "success".into();
        body["payment"]["sum"]["amount"] = 1000.into();
        let operations = body["operations"].as_array_mut().unwrap();
        operations.truncate(2);
        operations[1]["id"] = 99.into();
        operations[1]["type"] = kind.into();
    });
    [callback, answer]
}

#[test]
fn an_operation_of_undocumented_type_causes_a_poll_and_a_quarantine_when_an_answer_lists_it() {
    for kind in ["payout", "capture settlement", "manual change"] {
        let [callback, answer] = besides_sale(kind);
        let mut payment = TestPayment::paid();
        payment.deliver(&callback);
        assert_eq!(payment.status(), Status::Succeeded, "{kind}");
        assert_eq!(poll_at(&payment), Some(payment.now), "{kind}");
        payment.poll_now(NOW, &answer);
        assert_eq!(payment.status(), Status::Quarantined, "{kind}");
        let reasons = payment.quarantine_reasons();
        assert_eq!(reasons, [QuarantineReason::UnknownOperation].into());
        assert_eq!(payment.last_kind(), "payment.quarantined");
        assert!(!payment.needs_recheck(), "{kind}");
    }
}

#[test]
fn an_operation_that_moves_no_money_causes_neither_a_poll_nor_a_quarantine() {
    for kind in [
        "invoice",
        "customer action",
        "account verification",
        "contract registration",
        "recurring update",
        "recurring cancel",
    ] {
        let [callback, answer] = besides_sale(kind);
        let mut payment = TestPayment::paid();
        payment.deliver(&callback);
        assert_eq!(poll_at(&payment), None, "{kind}");
        payment.poll_now(NOW, &answer);
        assert_eq!(payment.status(), Status::Succeeded, "{kind}");
        assert_eq!(payment.paid_amount(), 1000, "{kind}");
        assert_eq!(payment.kinds(), ["payment.created", "payment.succeeded"]);
    }
}

#[test]
fn a_manual_change_after_a_release_quarantines_the_payment_again() {
    let mut payment = TestPayment::with_callbacks(&["amount_differs"]);
    payment.review(Verdict::Released).unwrap();
    assert_eq!(payment.status(), Status::Succeeded);
    let [_, answer] = besides_sale("manual change");
    payment.poll_now(NOW, &answer);
    assert_eq!(payment.status(), Status::Quarantined);
    let reasons = payment.quarantine_reasons();
    assert!(reasons.contains(&QuarantineReason::UnknownOperation));
}
