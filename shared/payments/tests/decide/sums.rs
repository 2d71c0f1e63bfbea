//! The sums that the platform names: each is kept, shown, and held against the order.

use payments::model::{Order, QuarantineReason, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use super::story::*;

const ORDERED: u64 = 2500;
const CAME: u64 = 1234;

/// Where the platform names a sum that differs.
const PLACES: [&str; 3] = ["payment.sum", "sum_initial", "both"];

fn larger_order() -> Order {
    Order {
        amount: ecommpay::fields::MinorUnits::for_sale(ORDERED).unwrap(),
        ..order()
    }
}

/// The sums of the sale: the payment's, the requested one, the one that the provider moved.
fn sums(place: &str) -> [u64; 3] {
    match place {
        "payment.sum" => [CAME, ORDERED, CAME],
        "sum_initial" => [ORDERED, CAME, CAME],
        _ => [CAME, CAME, CAME],
    }
}

fn sale_of(place: &str) -> Verified {
    let [of_payment, initial, moved] = sums(place);
    edited("sale_success", |body| {
        body["payment"]["sum"]["amount"] = of_payment.into();
        body["operation"]["sum_initial"]["amount"] = initial.into();
        body["operation"]["sum_converted"]["amount"] = moved.into();
    })
}

/// A status answer that lists the sale and a refund of 300.
fn answer_after_refund(place: &str, payment_sum: u64) -> Verified {
    let [_, initial, moved] = sums(place);
    edited("status_many_operations", |body| {
        body["payment"]["sum"]["amount"] = payment_sum.into();
        let operations = body["operations"].as_array_mut().unwrap();
        operations.truncate(2);
        operations[0]["sum_initial"]["amount"] = initial.into();
        operations[0]["sum_converted"]["amount"] = moved.into();
        operations[1]["sum_initial"]["amount"] = 300.into();
        operations[1]["sum_converted"]["amount"] = 300.into();
    })
}

fn refund_of_300() -> Verified {
    let sum = json!({ "sum_initial": { "amount": 300, "currency": "EUR" } });
    refund_operation("37493000003451", "success", sum)
}

fn underpaid(place: &str) -> Story {
    let mut story = Story::created_with(&larger_order());
    story.deliver(&sale_of(place));
    assert_eq!(story.payment.status(), Status::Quarantined, "{place}");
    assert_eq!(
        story.payment.quarantine_reasons(),
        [QuarantineReason::AmountDiffers].into()
    );
    story
}

#[test]
fn an_underpaid_order_stays_quarantined_after_a_refund_and_a_status_answer() {
    for place in PLACES {
        // What `payment.sum` is after a refund is documented in two ways.
        for left in [CAME - 300, CAME, ORDERED - 300, ORDERED] {
            for answer_first in [false, true] {
                let mut story = underpaid(place);
                let answer = answer_after_refund(place, left);
                if answer_first {
                    story.status_answer(&answer).deliver(&refund_of_300());
                } else {
                    story.deliver(&refund_of_300()).status_answer(&answer);
                }
                assert_eq!(
                    story.payment.status(),
                    Status::Quarantined,
                    "{place} {left}"
                );
                let kinds = story.kinds();
                assert!(!kinds.contains(&"payment.succeeded"), "{place} {left}");
                assert_eq!(story.payment.refunded_amount(), 300);
                if place != "sum_initial" {
                    assert_eq!(story.payment.paid_amount(), CAME, "{place} {left}");
                }
            }
        }
    }
}

#[test]
fn every_sum_that_the_platform_names_is_shown() {
    for place in PLACES {
        let story = underpaid(place);
        let [of_payment, initial, moved] = sums(place);
        let quarantine = &story.view()["quarantine"];
        assert_eq!(*quarantine, story.last_data()["quarantine"], "{place}");
        let [item] = quarantine.as_array().unwrap().as_slice() else {
            panic!("{quarantine}")
        };
        assert_eq!(item["reason"], "amount_differs");
        assert_eq!(
            item["ordered"],
            json!({ "amount": ORDERED, "currency": "EUR" })
        );
        let reported: Vec<(&Value, &Value)> = item["reported"]
            .as_array()
            .unwrap()
            .iter()
            .map(|sum| (&sum["field"], &sum["amount"]))
            .collect();
        let mut expected = vec![
            (json!("payment.sum"), json!(of_payment)),
            (json!("sum_initial"), json!(initial)),
        ];
        if moved != initial {
            expected.insert(1, (json!("sum_converted"), json!(moved)));
        }
        let expected: Vec<_> = expected.iter().map(|(field, sum)| (field, sum)).collect();
        assert_eq!(reported, expected, "{place}");
    }
}

#[test]
fn a_release_books_what_came_and_a_rejection_refunds_it() {
    for place in ["payment.sum", "both"] {
        let mut story = underpaid(place);
        assert_eq!(story.review(Verdict::Released), Ok(true));
        assert_eq!(story.payment.status(), Status::Succeeded);
        assert_eq!(story.last_data()["paid_amount"], CAME);
        assert_eq!(story.payment.refundable_amount(), CAME);

        let mut story = underpaid(place);
        story.deliver(&refund_of_300());
        assert_eq!(story.review(Verdict::Rejected), Ok(true));
        let refunds = story.payment.refunds();
        let amounts: Vec<u64> = refunds.iter().map(|one| one.amount()).collect();
        assert_eq!(amounts, [300, CAME - 300]);
        assert_eq!(story.refund_sums(), (300, CAME - 300, 0));
        assert_eq!(story.payment.status(), Status::Quarantined, "not back yet");
    }
}

/// A sum that a callback names below the order's counts once a signed answer names it.
#[test]
fn a_lower_sum_after_a_success_is_polled_before_it_counts() {
    let lower = |file: &str| {
        edited(file, |body| {
            body["payment"]["sum"]["amount"] = 950.into();
            body["payment"]["date"] = json!("2019-07-02T10:00:00+0000");
            body["operation"]["date"] = json!("2019-07-02T10:00:00+0000");
        })
    };
    let callback = lower("sale_success");
    let mut story = Story::created();
    story.callback("sale_success").deliver(&callback);
    assert_eq!(story.payment.paid_amount(), 1000);
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(poll_at(&story.payment), Some(NOW));
    let before = story.branch();

    story.poll_now(NOW, &callback);
    assert_eq!(story.payment.paid_amount(), 950);
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert!(!story.needs_recheck());

    let mut story = before;
    story.poll_now(NOW, corpus("sale_success"));
    assert_eq!(story.payment.paid_amount(), 1000);
    assert_eq!(story.payment.status(), Status::Succeeded);
}

/// Otherwise it would be booked, and emitted as paid again, without any quarantine.
#[test]
fn a_callback_against_a_signed_answer_is_polled_before_its_sum_counts() {
    for sum in [900, 1100] {
        let callback = edited("manual_change_success", |body| {
            body["payment"]["sum"]["amount"] = sum.into();
        });
        let mut story = Story::created();
        story.poll("sale_success").deliver(&callback);
        assert_eq!(story.payment.paid_amount(), 1000, "{sum}");
        assert_eq!(story.kinds(), ["payment.created", "payment.succeeded"]);
        assert_eq!(poll_at(&story.payment), Some(NOW), "{sum}");
    }
}

#[test]
fn money_in_another_currency_counts_as_zero_and_is_shown() {
    let mut story = Story::created();
    story.callback("currency_differs");
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(story.payment.paid_amount(), 0);
    assert_eq!(story.payment.refundable_amount(), 0);
    let quarantine = story.view()["quarantine"].to_string();
    assert!(quarantine.contains("USD"), "{quarantine}");
}

/// The answer after a refund shows less than the order, and explains it.
#[test]
fn an_answer_that_shows_the_remainder_of_the_order_is_no_difference() {
    for left in [750, 1000] {
        let answer = edited("status_many_operations", |body| {
            body["payment"]["sum"]["amount"] = left.into();
        });
        let mut story = Story::created();
        story.callback("sale_success").status_answer(&answer);
        assert_eq!(story.payment.status(), Status::PartiallyRefunded, "{left}");
        assert_eq!(story.payment.paid_amount(), 1000);
        assert_eq!(story.refund_sums(), (250, 100, 650));
    }
    let answer = edited("status_many_operations", |body| {
        body["payment"]["sum"]["amount"] = 700.into();
    });
    let mut story = Story::created();
    story.callback("sale_success").status_answer(&answer);
    assert_eq!(story.payment.status(), Status::Quarantined);
}
