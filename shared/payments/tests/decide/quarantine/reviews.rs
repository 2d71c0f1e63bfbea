//! Tests the decisions of operators, who release or reject quarantine items.

use std::collections::BTreeSet;
use std::time::Duration;

use payments::decide::{Command, Rejection};
use payments::model::{QuarantineReason, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use crate::builders::reports::euros;
use crate::fixtures::*;

#[test]
fn a_release_settles_the_listed_items_and_records_the_operator() {
    let mut payment = TestPayment::with_callbacks(&["amount_differs"]);
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    assert_eq!(payment.status(), Status::Succeeded);
    let kinds = ["payment.quarantined", "payment.succeeded"];
    assert_eq!(payment.kinds()[1..], kinds);
    let decision = &payment.decisions()[0];
    assert_eq!((decision.by.as_str(), decision.at), ("anna", NOW));
    assert_eq!(decision.verdict, Verdict::Released);
    let again = payment.review(Verdict::Released);
    assert_eq!(again, Ok(false), "nothing is in quarantine");
}

#[test]
fn a_new_item_after_a_release_quarantines_the_payment_again_even_for_the_same_reason() {
    let mut payment = TestPayment::with_callbacks(&["amount_differs"]);
    payment.review(Verdict::Released).unwrap();
    payment.callback("currency_differs");
    assert_eq!(payment.status(), Status::Quarantined);

    let mut payment = TestPayment::with_callbacks(&["sale_success", "success_after_decline"]);
    payment.review(Verdict::Released).unwrap();
    assert_eq!(payment.status(), Status::Succeeded);
    let third = edited("sale_success", |body| {
        body["operation"]["id"] = json!(999);
    });
    payment.deliver(&third);
    assert_eq!(payment.status(), Status::Quarantined);
    let reasons = payment.quarantine_reasons();
    assert_eq!(reasons, [QuarantineReason::PaidTwice].into());
}

/// Returns a signed answer with this `payment.status`. The answer lists the sale of the corpus, and a copy of this sale
/// for each id in `more`. The sales are dated on this day.
fn answer(status: &str, day: u32, more: &[Value]) -> Verified {
    edited("status_confirm_decline", |body| {
        let date = json!(format!("2019-07-{day:02}T00:00:00+0000"));
        body["payment"]["status"] = json!(status);
        let mut sale = body["operations"][0].clone();
        sale["date"] = date.clone();
        let mut operations = vec![sale.clone()];
        for id in more {
            sale["id"] = id.clone();
            operations.push(sale.clone());
        }
        body["operations"] = json!(operations);
    })
}

#[test]
fn a_second_sale_after_the_release_of_a_contested_sale_quarantines_the_payment_as_paid_twice() {
    let mut payment = TestPayment::paid();
    payment.poll_now(NOW, &answer("decline", 3, &[]));
    let reasons = payment.quarantine_reasons();
    assert_eq!(reasons, [QuarantineReason::StatusDiffers].into());
    payment.review(Verdict::Released).unwrap();
    assert_eq!(payment.status(), Status::Succeeded);
    payment.poll_now(NOW, &answer("decline", 4, &[json!(999)]));
    assert_eq!(payment.status(), Status::Quarantined);
    let reasons = payment.quarantine_reasons();
    assert!(reasons.contains(&QuarantineReason::PaidTwice));
}

#[test]
fn a_release_of_a_status_does_not_settle_another_status_that_contests_the_sale() {
    let mut payment = TestPayment::paid();
    payment.poll_now(NOW, &answer("expired", 3, &[]));
    payment.review(Verdict::Released).unwrap();
    for (day, status) in [(4, "expired"), (5, "success")] {
        payment.poll_now(NOW, &answer(status, day, &[]));
        assert_eq!(payment.status(), Status::Succeeded, "{status}");
    }
    payment.poll_now(NOW, &answer("decline", 6, &[]));
    assert_eq!(payment.status(), Status::Quarantined);
    let item = payment.quarantine().into_iter().next().unwrap();
    assert_eq!(item.status.as_deref(), Some("decline"));
    payment.review(Verdict::Released).unwrap();
    for (day, status) in [(7, "decline"), (8, "expired")] {
        payment.poll_now(NOW, &answer(status, day, &[]));
        assert_eq!(payment.status(), Status::Succeeded, "{status}");
    }
}

#[test]
fn a_decision_settles_no_item_that_it_does_not_list() {
    let nothing = BTreeSet::new();
    let mut payment = TestPayment::with_callbacks(&["amount_differs", "currency_differs"]);
    let first = payment.quarantine().into_iter().take(1).collect();
    let rejected = payment.review_items(Verdict::Rejected, &first);
    assert_eq!(rejected, Err(Rejection::NotRefundable));
    for verdict in [Verdict::Released, Verdict::Rejected] {
        assert_eq!(payment.review_items(verdict, &nothing), Ok(false));
    }
    assert!(payment.decisions().is_empty());
}

#[test]
fn a_rejection_of_an_overpaid_payment_refunds_the_whole_paid_amount() {
    let overpaid = edited("sale_success", |body| {
        body["payment"]["sum"]["amount"] = 1234.into();
    });
    let mut payment = TestPayment::created();
    payment.deliver(&overpaid);
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    assert_eq!(payment.refund_sums(), (0, 1234, 0));
    assert_eq!(payment.status(), Status::Quarantined);
    let refund_id = payment.refunds()[0].refund_id().unwrap().to_string();
    payment.refund_reported(&refund_id, "7", 1234);
    assert_eq!(payment.status(), Status::Refunded);
    assert_eq!(payment.refund_sums(), (1234, 0, 0));
    assert!(!payment.kinds().contains(&"payment.succeeded"));
}

/// If the id were known before, a storefront of the project could use the id for a refund of its own. The platform
/// would then refuse the refund of the rejection as a duplicate.
#[test]
fn the_refund_id_of_a_rejection_cannot_be_known_before_the_rejection() {
    let payment = TestPayment::with_callbacks(&["amount_differs"]);
    let items = payment.quarantine();
    let refund_id = |by, at| {
        let verdict = Verdict::Rejected;
        let items = &items;
        let command = Command::Review { verdict, by, items };
        let change = change_of(Some(&payment), command, at).unwrap();
        change.payment.refunds()[0].refund_id().cloned().unwrap()
    };
    let first = refund_id("anna", NOW);
    assert_eq!(refund_id("anna", NOW), first);
    assert_ne!(
        refund_id("anna", NOW.after(Duration::from_millis(1))),
        first
    );
    assert_ne!(refund_id("bert", NOW), first);
}

#[test]
fn a_second_rejection_takes_another_id_if_the_platform_has_the_first_id() {
    let mut payment = TestPayment::with_callbacks(&["amount_differs"]);
    let paid = payment.paid_amount();
    payment.review(Verdict::Rejected).unwrap();
    let first = payment.refunds()[0].refund_id().cloned().unwrap();
    payment
        .refund_answer(first.as_str(), &refused("3230"))
        .poll_now(NOW, corpus("amount_differs"))
        .execute(Command::RepeatRefund(&first), NOW);
    assert_eq!(payment.refund_sums(), (0, 0, paid));
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    assert_ne!(payment.refunds()[1].refund_id(), Some(&first));
    assert_eq!(payment.refund_sums(), (0, paid, 0));
}

#[test]
fn a_rejection_reserves_nothing_if_a_storefront_already_refunds_all_money() {
    let mut payment = TestPayment::with_callbacks(&["amount_differs"]);
    let paid = payment.paid_amount();
    payment.reserve("r-1", None).unwrap();
    payment.refund_answer("r-1", &accepted("q-r-1"));
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    assert_eq!(payment.refunds().len(), 1);
    assert_eq!(payment.status(), Status::Quarantined);
    payment.refund_reported("r-1", "7", paid);
    assert_eq!(payment.status(), Status::Refunded);
    assert!(!payment.kinds().contains(&"payment.succeeded"));
}

/// A signed answer removes the reason of a rejection while the refund has no result yet.
#[test]
fn rejected_money_is_never_emitted_as_paid_unless_it_is_released() {
    for first in ["expired", "decline"] {
        for is_declined in [false, true] {
            let mut payment = TestPayment::created();
            payment.sale_answer(&accepted(REQUEST));
            payment.poll_by(NOW.after(HOUR), &answer(first, 3, &[]));
            assert_eq!(payment.review(Verdict::Rejected), Ok(true));
            let refund_id = payment.refunds()[0]
                .refund_id()
                .unwrap()
                .as_str()
                .to_owned();
            payment.refund_answer(&refund_id, &accepted("q1"));
            payment.poll_by(NOW.after(2 * HOUR), &answer("success", 4, &[]));
            assert_eq!(payment.status(), Status::Quarantined);
            let sum = euros(1000);
            // The refund is newer than the signed answer.
            let fields = json!({
                "merchant_refund_id": refund_id, "sum_initial": sum, "date": "2019-07-10T00:00:00+0000",
            });
            let status = if is_declined { "decline" } else { "success" };
            payment.deliver(&refund_operation("9", status, fields));
            let expected = match is_declined {
                true => Status::Quarantined,
                false => Status::Refunded,
            };
            assert_eq!(payment.status(), expected, "{first}");
            assert!(!payment.kinds().contains(&"payment.succeeded"), "{first}");
            if is_declined {
                assert_eq!(payment.review(Verdict::Released), Ok(true));
                assert_eq!(payment.status(), Status::Succeeded, "{first}");
                assert_eq!(payment.last_kind(), "payment.succeeded", "{first}");
            }
        }
    }
}

#[test]
fn money_in_another_currency_is_rejected_without_a_refund_and_cannot_be_released() {
    let mut payment = TestPayment::with_callbacks(&["currency_differs"]);
    assert_eq!(payment.review(Verdict::Released), Err(Rejection::NoMoney));
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    assert_eq!(payment.decisions()[0].verdict, Verdict::Rejected);
    assert!(payment.refunds().is_empty());
    assert_eq!(payment.status(), Status::Quarantined);
    let dollars = json!({ "sum_initial": { "amount": 1000, "currency": "USD" } });
    payment.deliver(&refund_operation("7", "success", dollars));
    assert_eq!(payment.status(), Status::Refunded);
    assert_eq!((payment.paid_amount(), payment.refunded_amount()), (0, 0));
    assert!(!payment.kinds().contains(&"payment.succeeded"));
}

#[test]
fn a_sale_without_a_sum_causes_a_quarantine_and_counts_with_the_sum_of_the_payment() {
    let without_sum = edited("sale_success", |body| {
        let operation = body["operation"].as_object_mut().unwrap();
        operation.remove("sum_initial");
    });
    let mut payment = TestPayment::created();
    payment.deliver(&without_sum);
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.paid_amount(), 1000);
    payment.poll_by(NOW, &without_sum);
    assert_eq!(poll_at(&payment), None);
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.paid_amount(), 1000);
}

#[test]
fn a_release_accepts_a_manual_change_as_paid_but_not_the_unconfirmed_sale() {
    let manual_change = edited("status_confirm_waiting", |body| {
        let all = body["operations"].as_array_mut().unwrap();
        let mut manual = all[0].clone();
        manual["id"] = json!(71);
        manual["type"] = json!("manual change");
        manual["sum_initial"]["amount"] = json!(100);
        manual["sum_converted"]["amount"] = json!(100);
        all.push(manual);
    });
    let mut payment = TestPayment::with_callbacks(&["confirm_sale_done"]);
    payment.poll_now(NOW, &manual_change);
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.paid_amount(), 100);
    assert!(
        poll_at(&payment).is_some(),
        "the open confirmation is not polled"
    );
    let mut confirmed = payment.fork();
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    assert_eq!(payment.paid_amount(), 100);
    payment.callback("confirm_decline");
    assert_eq!(payment.paid_amount(), 100);

    confirmed.callback("confirm_success");
    assert_eq!(confirmed.paid_amount(), 1000);
    assert_eq!(confirmed.status(), Status::Quarantined);
}

#[test]
fn an_amount_above_the_maximum_of_gate_is_not_reserved() {
    let huge = edited("sale_success", |body| {
        body["payment"]["sum"]["amount"] = json!(u64::MAX);
    });
    let mut payment = TestPayment::created();
    payment.deliver(&huge);
    assert_eq!(payment.paid_amount(), u64::MAX);
    let rejected = payment.review(Verdict::Rejected);
    assert_eq!(rejected, Err(Rejection::NotRefundable));
    assert_eq!(payment.reserve("r-1", None), Err(Rejection::NotRefundable));
    assert_eq!(payment.refund_sums(), (0, 0, u64::MAX));
    assert_eq!(payment.reserve("r-1", Some(1_000)), Ok(true));
}
