//! Money that is not what was ordered, and what an operator decides about it.

use payments::decide::Rejection;
use payments::model::{QuarantineReason, Status, Verdict};
use serde_json::json;

use super::story::*;

#[test]
fn a_release_settles_the_items_it_lists_and_nothing_that_comes_later() {
    let mut story = Story::created();
    story.callback("amount_differs");
    assert_eq!(story.review(Verdict::Released), Ok(true));
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(
        story.kinds()[1..],
        ["payment.quarantined", "payment.succeeded"]
    );
    let kept = &story.payment.decisions()[0];
    assert_eq!((kept.by.as_str(), kept.at), ("anna", NOW));
    assert_eq!(kept.verdict, Verdict::Released);
    let again = story.review(Verdict::Released);
    assert_eq!(again, Ok(false), "there is nothing to release");
    story.callback("currency_differs");
    assert_eq!(story.payment.status(), Status::Quarantined);

    // The same reason, for other money.
    let mut story = Story::created();
    story
        .callback("sale_success")
        .callback("success_after_decline");
    assert_eq!(story.review(Verdict::Released), Ok(true));
    assert_eq!(story.payment.status(), Status::Succeeded);
    let third = edited("sale_success", |body| {
        body["operation"]["id"] = json!(999);
    });
    story.deliver(&third);
    assert_eq!(story.payment.status(), Status::Quarantined);
    let reasons = story.payment.quarantine_reasons();
    assert_eq!(reasons, [QuarantineReason::PaidTwice].into());
}

#[test]
fn a_sale_that_names_no_sum_is_quarantined_with_the_sum_of_its_payment() {
    let without_sum = edited("sale_success", |body| {
        body["operation"]
            .as_object_mut()
            .unwrap()
            .remove("sum_initial");
    });
    let mut story = Story::created();
    story.deliver(&without_sum);
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(story.payment.paid_amount(), 1000);
    story.take(claim_poll(&story.payment, after(NOW), NOW));
    story.status_answer(&without_sum);
    assert_eq!(poll_at(&story.payment), None, "polled once, and no more");
    // Only the items that the operator has seen are settled.
    let unseen = story.review_these(Verdict::Released, &Default::default());
    assert_eq!(unseen, Ok(false));
    assert_eq!(story.review(Verdict::Released), Ok(true));
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(story.payment.paid_amount(), 1000);
}

/// A confirmation is no money of its own. A manual change is, once a signed answer lists it.
#[test]
fn money_of_an_operation_that_is_no_sale_is_quarantined_once_an_answer_lists_it() {
    let mut story = Story::created();
    story.callback("payment_confirmation");
    assert_eq!(story.payment.status(), Status::Processing);
    assert!(story.needs_recheck());
    story.poll("payment_confirmation");
    assert_eq!(story.payment.status(), Status::Processing);
    assert_eq!(story.payment.paid_amount(), 0);

    let mut story = Story::created();
    story.callback("manual_change_success");
    assert_eq!(story.payment.status(), Status::Processing);
    assert!(story.needs_recheck());
    assert_eq!(poll_at(&story.payment), Some(NOW));
    story.poll("status_manual_change");
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(poll_at(&story.payment), None);
    assert_eq!(story.payment.paid_amount(), 900, "as the platform says");
    assert_eq!(story.payment.refundable_amount(), 900);
    story.review(Verdict::Released).unwrap();
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(story.payment.paid_amount(), 900);
    assert_eq!(story.last_data()["paid_amount"], 900);
}

/// `refund` and `sale` under one `operation.id`.
#[test]
fn an_operation_of_two_types_does_not_undo_the_sale() {
    let other = edited("sale_success", |body| {
        body["operation"]["type"] = json!("refund");
        body["operation"]["date"] = json!("2030-01-01T00:00:00+0000");
    });
    let mut ends = Vec::new();
    for other_first in [false, true] {
        let mut story = Story::created();
        if other_first {
            story.deliver(&other).callback("sale_success");
        } else {
            story.callback("sale_success").deliver(&other);
        }
        assert_eq!(story.payment.status(), Status::Succeeded);
        assert!(story.needs_recheck());
        ends.push(story.outcome());
    }
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn money_that_a_storefront_refunded_can_be_rejected_too() {
    let mut story = Story::created();
    story.callback("amount_differs");
    let paid = story.payment.paid_amount();
    story.refund(&refund("r-1", None)).unwrap();
    story.refund_answer("r-1", &accepted("q1"));
    let refunds = story.payment.refunds().len();
    assert_eq!(story.review(Verdict::Rejected), Ok(true));
    let reserved = story.payment.refunds().len();
    assert_eq!(reserved, refunds, "all of it is on its way back already");
    assert_eq!(story.payment.status(), Status::Quarantined);
    let mut back = json!({ "merchant_refund_id": "r-1" });
    back["sum_initial"] = json!({ "amount": paid, "currency": "EUR" });
    story.deliver(&refund_operation("7", "success", back));
    assert_eq!(story.payment.status(), Status::Refunded);
    assert!(
        !story.kinds().contains(&"payment.succeeded"),
        "{:?}",
        story.kinds()
    );
    // Items that the operator has not seen are not rejected with the rest.
    let mut story = Story::created();
    story
        .callback("amount_differs")
        .callback("currency_differs");
    let items = story.payment.quarantine();
    let some = items.into_iter().take(1).collect();
    let rejected = story.review_these(Verdict::Rejected, &some);
    assert_eq!(rejected, Err(Rejection::NotRefundable));
    let none = story.review_these(Verdict::Rejected, &Default::default());
    assert_eq!(none, Ok(false));
}

#[test]
fn a_rejection_refunds_what_came() {
    for (amount, refunded) in [(1234, 1234), (900, 900)] {
        let differs = edited("sale_success", |body| {
            body["payment"]["sum"]["amount"] = amount.into();
        });
        let mut story = Story::created();
        story.deliver(&differs);
        assert_eq!(story.review(Verdict::Rejected), Ok(true));
        let [refund] = story.payment.refunds() else {
            panic!("{:?}", story.payment.refunds())
        };
        assert_eq!(refund.amount(), refunded);
        assert_eq!(story.payment.status(), Status::Quarantined);
        let refund_id = refund.refund_id().unwrap().as_str().to_owned();
        story.refund_answer(&refund_id, &accepted("q1"));
        let back = json!({
            "merchant_refund_id": refund_id,
            "sum_initial": { "amount": refunded, "currency": "EUR" },
        });
        story.deliver(&refund_operation("7", "success", back));
        assert_eq!(story.payment.status(), Status::Refunded);
        assert_eq!(story.payment.refunded_amount(), amount);
        assert!(!story.kinds().contains(&"payment.succeeded"));
    }
}

/// It goes back by hand.
#[test]
fn a_rejection_of_money_in_another_currency_reserves_no_refund() {
    let mut story = Story::created();
    story.callback("currency_differs");
    assert_eq!(story.payment.paid_amount(), 0);
    assert_eq!(story.review(Verdict::Released), Err(Rejection::NoMoney));
    assert_eq!(story.review(Verdict::Rejected), Ok(true));
    assert!(story.payment.refunds().is_empty());
    assert_eq!(story.payment.status(), Status::Quarantined);
}

#[test]
fn what_an_operator_takes_as_paid_is_the_manual_change_and_not_the_unconfirmed_sale() {
    let manual = edited("status_confirm_waiting", |body| {
        let all = body["operations"].as_array_mut().unwrap();
        let mut manual = all[0].clone();
        manual["id"] = json!(71);
        manual["type"] = json!("manual change");
        manual["sum_initial"]["amount"] = json!(100);
        manual["sum_converted"]["amount"] = json!(100);
        all.push(manual);
    });
    let mut story = Story::created();
    story.callback("confirm_sale_done").poll_now(NOW, &manual);
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(story.payment.paid_amount(), 100);
    assert!(
        poll_at(&story.payment).is_some(),
        "the confirmation is open"
    );
    assert_eq!(story.review(Verdict::Released), Ok(true));
    assert_eq!(story.payment.paid_amount(), 100);
    story.callback("confirm_decline");
    assert_eq!(story.payment.paid_amount(), 100);
    // The confirmed money comes to it.
    let mut confirmed = Story::created();
    confirmed
        .callback("confirm_sale_done")
        .poll_now(NOW, &manual);
    confirmed.callback("confirm_success");
    assert_eq!(confirmed.payment.paid_amount(), 1000);
    assert_eq!(confirmed.payment.status(), Status::Quarantined);
}
