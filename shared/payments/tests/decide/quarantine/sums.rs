//! Tests the sums in the platform's reports: each sum is stored, shown, and compared with the order.

use std::time::Duration;

use ecommpay::fields::MinorUnits;
use payments::decide::Rejection;
use payments::model::{Order, QuarantineReason, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use crate::fixtures::*;

const ORDERED: u64 = 2500;
const PAID: u64 = 1234;

/// The fields that name a sum other than the ordered sum.
const FIELDS: [&str; 3] = ["payment.sum", "sum_initial", "both"];

/// Returns `payment.sum`, `sum_initial` and `sum_converted` of an underpaid sale whose sum differs in `field`.
fn sums(field: &str) -> [u64; 3] {
    match field {
        "payment.sum" => [PAID, ORDERED, PAID],
        "sum_initial" => [ORDERED, PAID, PAID],
        _ => [PAID, PAID, PAID],
    }
}

/// Returns a payment of an order of 25.00 EUR, after a callback about a sale that has 12.34 EUR in `field`.
fn underpaid(field: &str) -> TestPayment {
    let [of_payment, initial, moved] = sums(field);
    let sale = edited("sale_success", |body| {
        body["payment"]["sum"]["amount"] = of_payment.into();
        body["operation"]["sum_initial"]["amount"] = initial.into();
        body["operation"]["sum_converted"]["amount"] = moved.into();
    });
    let mut payment = TestPayment::created_with(&Order {
        amount: MinorUnits::for_sale(ORDERED).unwrap(),
        ..order()
    });
    payment.deliver(&sale);
    assert_eq!(payment.status(), Status::Quarantined, "{field}");
    let reasons = payment.quarantine_reasons();
    assert_eq!(reasons, [QuarantineReason::AmountDiffers].into());
    payment
}

fn refund_of_300() -> Verified {
    let sum = json!({ "sum_initial": reports::euros(300) });
    refund_operation("37493000003451", "success", sum)
}

/// Returns a status answer that lists the sale and the refund of 3.00 EUR.
fn answer_after_refund(field: &str, payment_sum: u64) -> Verified {
    let [_, initial, moved] = sums(field);
    edited("status_many_operations", |body| {
        body["payment"]["sum"]["amount"] = payment_sum.into();
        let operations = body["operations"].as_array_mut().unwrap();
        operations.truncate(2);
        for (operation, sums) in operations.iter_mut().zip([[initial, moved], [300, 300]]) {
            operation["sum_initial"]["amount"] = sums[0].into();
            operation["sum_converted"]["amount"] = sums[1].into();
        }
    })
}

#[test]
fn an_underpaid_order_stays_quarantined_after_a_refund_and_a_status_answer() {
    for field in FIELDS {
        // The platform's documentation contradicts itself: a refund lowers `payment.sum`, or does not change it.
        for sum in [PAID - 300, PAID, ORDERED - 300, ORDERED] {
            for is_answer_first in [false, true] {
                let mut payment = underpaid(field);
                let answer = answer_after_refund(field, sum);
                match is_answer_first {
                    true => payment.status_answer(&answer).deliver(&refund_of_300()),
                    false => payment.deliver(&refund_of_300()).status_answer(&answer),
                };
                assert_eq!(payment.status(), Status::Quarantined, "{field} {sum}");
                let kinds = payment.kinds();
                assert!(!kinds.contains(&"payment.succeeded"), "{field} {sum}");
                assert_eq!(payment.refunded_amount(), 300);
                if field != "sum_initial" {
                    assert_eq!(payment.paid_amount(), PAID, "{field} {sum}");
                }
            }
        }
    }
}

#[test]
fn a_quarantine_item_shows_every_reported_sum() {
    for field in FIELDS {
        let payment = underpaid(field);
        let [of_payment, initial, moved] = sums(field);
        let quarantine = &payment.view()["quarantine"];
        assert_eq!(*quarantine, payment.last_data()["quarantine"], "{field}");
        let [item] = quarantine.as_array().unwrap().as_slice() else {
            panic!("{quarantine}")
        };
        assert_eq!(item["reason"], "amount_differs");
        assert_eq!(item["ordered"], reports::euros(ORDERED));
        let reported = item["reported"].as_array().unwrap().iter();
        let reported = reported.map(|sum| (sum["field"].clone(), sum["amount"].clone()));
        let mut expected = vec![("payment.sum", of_payment), ("sum_initial", initial)];
        if moved != initial {
            expected.insert(1, ("sum_converted", moved));
        }
        let expected = expected
            .into_iter()
            .map(|(field, sum)| (json!(field), json!(sum)));
        let expected: Vec<(Value, Value)> = expected.collect();
        assert_eq!(Vec::from_iter(reported), expected, "{field}");
    }
}

#[test]
fn a_release_of_an_underpaid_order_accepts_the_paid_amount() {
    for field in ["payment.sum", "both"] {
        let mut payment = underpaid(field);
        assert_eq!(payment.review(Verdict::Released), Ok(true));
        assert_eq!(payment.status(), Status::Succeeded);
        assert_eq!(payment.last_data()["paid_amount"], PAID);
        assert_eq!(payment.refundable_amount(), PAID);
    }
}

#[test]
fn a_rejection_of_an_underpaid_order_refunds_the_remaining_amount() {
    for field in ["payment.sum", "both"] {
        let mut payment = underpaid(field);
        payment.deliver(&refund_of_300());
        assert_eq!(payment.review(Verdict::Rejected), Ok(true));
        let amounts = payment.refunds().iter().map(|refund| refund.amount());
        assert_eq!(Vec::from_iter(amounts), [300, PAID - 300]);
        assert_eq!(payment.refund_sums(), (300, PAID - 300, 0));
        assert_eq!(payment.status(), Status::Quarantined);
    }
}

#[test]
fn a_lower_sum_in_a_callback_after_a_success_counts_only_after_a_signed_answer_confirms_it() {
    let lower = edited("sale_success", |body| {
        body["payment"]["sum"]["amount"] = 950.into();
        body["payment"]["date"] = json!("2019-07-02T10:00:00+0000");
        body["operation"]["date"] = json!("2019-07-02T10:00:00+0000");
    });
    let mut payment = TestPayment::paid();
    payment.deliver(&lower);
    assert_eq!(payment.paid_amount(), 1000);
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(poll_at(&payment), Some(payment.now));
    let mut lowered = payment.fork();
    lowered.poll_now(NOW, &lower);
    assert_eq!(lowered.paid_amount(), 950);
    assert_eq!(lowered.status(), Status::Quarantined);
    assert!(!lowered.needs_recheck());

    payment.poll_now(NOW, corpus("sale_success"));
    assert_eq!(payment.paid_amount(), 1000);
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn a_sum_of_zero_in_a_callback_counts_only_after_a_signed_answer() {
    let nothing = edited("sale_success", |body| {
        body["payment"]["sum"]["amount"] = 0.into();
        body["payment"]["date"] = json!("2019-07-02T10:00:00+0000");
        body["operation"]["date"] = json!("2019-07-02T10:00:00+0000");
    });
    let mut payment = TestPayment::paid();
    payment.deliver(&nothing);
    assert_eq!(payment.paid_amount(), 1000);
    assert_eq!(payment.status(), Status::Quarantined);
    assert!(payment.needs_recheck());
}

/// A second sale is charged after the last answer without a refund. Later answers list a refund, so their `payment.sum`
/// does not state the amount received.
#[test]
fn a_second_sale_counts_as_soon_as_an_answer_lists_it_although_the_answer_also_lists_a_refund() {
    for sum_in_callback in [2000, 1500] {
        let mut payment = TestPayment::paid();
        payment.poll_now(NOW, corpus("sale_success"));
        let later = json!("2019-07-02T09:40:00+0000");
        payment.deliver(&edited("sale_success", |body| {
            body["payment"]["sum"]["amount"] = sum_in_callback.into();
            body["payment"]["date"] = later.clone();
            body["operation"]["date"] = later.clone();
            body["operation"]["id"] = 99.into();
        }));
        assert!(payment.needs_recheck());
        let answer = edited("status_many_operations", |body| {
            let operations = body["operations"].as_array_mut().unwrap();
            operations.truncate(2);
            let mut second = operations[0].clone();
            second["id"] = 99.into();
            second["date"] = later.clone();
            operations.push(second);
        });
        payment.poll_now(NOW.after(Duration::from_millis(1)), &answer);
        assert_eq!(payment.status(), Status::Quarantined);
        assert_eq!(payment.paid_amount(), 2000, "{sum_in_callback}");
        assert_eq!(payment.refundable_amount(), 1750, "{sum_in_callback}");
        let is_confirmed = sum_in_callback == 2000;
        assert_eq!(payment.needs_recheck(), !is_confirmed);
    }
}

/// The platform changes the date of an operation when it handles the operation again.
#[test]
fn a_sale_that_an_answer_repeats_with_a_later_date_counts_once() {
    for (amount, operations) in [(1000, 1), (750, 2)] {
        let answer = |date: &str, amount: u64, operations: usize| {
            edited("status_many_operations", |body| {
                body["payment"]["sum"]["amount"] = amount.into();
                let all = body["operations"].as_array_mut().unwrap();
                all.truncate(operations);
                all[0]["date"] = date.into();
            })
        };
        let mut payment = TestPayment::created();
        payment.poll_now(NOW, &answer("2019-07-02T09:28:29+0000", 1000, 1));
        assert_eq!(payment.paid_amount(), 1000);
        let later = answer("2019-07-02T10:28:29+0000", amount, operations);
        payment.poll_now(NOW.after(Duration::from_millis(1)), &later);
        assert_eq!(payment.paid_amount(), 1000, "{operations}");
        let kinds = payment.kinds();
        let paid = kinds.iter().filter(|kind| **kind == "payment.succeeded");
        assert_eq!(paid.count(), 1, "{kinds:?}");
    }
}

/// The callback about the confirmation arrives first. The first callback about the sale is sent after a refund, so it
/// does not state the amount received.
#[test]
fn a_sale_that_is_reported_after_its_sum_counts_once() {
    let confirmation = edited("sale_success", |body| {
        body["operation"]["id"] = "6".into();
        body["operation"]["type"] = "payment confirmation".into();
    });
    let sale = edited("sale_success", |body| {
        body["payment"]["status"] = "partially refunded".into();
        body["payment"]["sum"]["amount"] = 900.into();
        for part in ["payment", "operation"] {
            body[part]["date"] = "2019-07-02T10:28:29+0000".into();
        }
    });
    let mut payment = TestPayment::accepted();
    payment.deliver(&confirmation).deliver(&sale);
    assert_eq!(payment.paid_amount(), 1000);
}

/// Without the poll, the sum would count, and a second `payment.succeeded` would be emitted without a quarantine.
#[test]
fn a_callback_that_differs_from_a_signed_answer_causes_a_poll_before_its_sum_counts() {
    for sum in [900, 1100] {
        let callback = edited("manual_change_success", |body| {
            body["payment"]["sum"]["amount"] = sum.into();
        });
        let mut payment = TestPayment::created();
        payment.poll("sale_success").deliver(&callback);
        assert_eq!(payment.paid_amount(), 1000, "{sum}");
        assert_eq!(payment.kinds(), ["payment.created", "payment.succeeded"]);
        assert_eq!(poll_at(&payment), Some(payment.now), "{sum}");
    }
}

#[test]
fn money_in_another_currency_counts_as_zero_and_is_shown() {
    let payment = TestPayment::with_callbacks(&["currency_differs"]);
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.refund_sums(), (0, 0, 0));
    assert_eq!(payment.paid_amount(), 0);
    let quarantine = payment.view()["quarantine"].to_string();
    assert!(quarantine.contains("USD"), "{quarantine}");
    assert_eq!(payment.kinds(), ["payment.created", "payment.quarantined"]);
}

#[test]
fn a_lower_sum_in_an_answer_is_accepted_if_the_refunds_in_the_answer_explain_it() {
    for (sum, status) in [
        (750, Status::PartiallyRefunded),
        (1000, Status::PartiallyRefunded),
        (700, Status::Quarantined),
        (1100, Status::Quarantined),
    ] {
        let answer = edited("status_many_operations", |body| {
            body["payment"]["sum"]["amount"] = sum.into();
        });
        let mut payment = TestPayment::paid();
        payment.status_answer(&answer);
        assert_eq!(payment.status(), status, "{sum}");
        if status != Status::Quarantined {
            assert_eq!(payment.paid_amount(), 1000);
            assert_eq!(payment.refund_sums(), (250, 100, 650));
        }
    }
}

#[test]
fn without_a_payment_sum_the_converted_sum_in_the_orders_currency_counts() {
    for (converted, paid) in [
        (Some(reports::euros(900)), 900),
        (Some(json!({ "amount": 1100, "currency": "USD" })), 1000),
        (None, 1000),
    ] {
        let sale = edited("sale_success", |body| {
            body["payment"].as_object_mut().unwrap().remove("sum");
            let operation = body["operation"].as_object_mut().unwrap();
            operation.remove("sum_converted");
            if let Some(converted) = &converted {
                operation.insert("sum_converted".into(), converted.clone());
            }
        });
        let mut payment = TestPayment::created();
        payment.deliver(&sale);
        assert_eq!(payment.paid_amount(), paid, "{converted:?}");
        // A sale counts as paid without a review only if `payment.sum` equals the order.
        assert_eq!(payment.status(), Status::Quarantined, "{converted:?}");
    }
}

#[test]
fn the_sum_of_a_payment_that_is_reported_as_refunded_is_not_compared_with_the_order() {
    for status in [
        "partially refunded",
        "refunded",
        "partially reversed",
        "reversed",
    ] {
        let sale = |amount: u64| {
            edited("sale_success", |body| {
                body["payment"]["status"] = status.into();
                body["payment"]["sum"]["amount"] = 0.into();
                body["operation"]["sum_initial"]["amount"] = amount.into();
                body["operation"]["sum_converted"]["amount"] = amount.into();
            })
        };
        for (amount, expected) in [(1000, Status::Succeeded), (900, Status::Quarantined)] {
            let mut payment = TestPayment::created();
            payment.deliver(&sale(amount));
            assert_eq!(payment.status(), expected, "{status} {amount}");
            assert_eq!(payment.paid_amount(), amount, "{status}");
        }
    }
}

#[test]
fn a_quarantined_payment_can_be_refunded_and_is_polled_only_until_a_signed_answer() {
    let mut payment = TestPayment::with_callbacks(&["amount_differs"]);
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.last_kind(), "payment.quarantined");
    assert_eq!(payment.paid_amount(), 950);
    payment.poll("amount_differs");
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(poll_at(&payment), None);
    let more = payment.reserve("r-1", Some(951));
    assert_eq!(more, Err(Rejection::MoreThanLeft(950)));
    assert_eq!(payment.reserve("r-1", Some(950)), Ok(true));
}

/// Returns a callback about the sale after a refund. The callback has no `payment.sum`.
fn sale_after_refund(second: u32, sum_initial: Option<u64>) -> Verified {
    edited("sale_success", |body| {
        let payment = body["payment"].as_object_mut().unwrap();
        payment.insert("status".to_owned(), "refunded".into());
        payment.remove("sum");
        let operation = body["operation"].as_object_mut().unwrap();
        let date = format!("2019-07-02T09:28:{second:02}+0000");
        operation.insert("date".to_owned(), date.into());
        operation.remove("sum_converted");
        operation.remove("sum_initial");
        if let Some(amount) = sum_initial {
            operation.insert("sum_initial".to_owned(), reports::euros(amount));
        }
    })
}

/// Reports about one operation can have different formats, and one format can lack fields.
#[test]
fn a_sale_keeps_its_sum_after_a_later_callback_without_a_sum() {
    let reports = [
        sale_after_refund(15, Some(1000)),
        sale_after_refund(16, None),
    ];
    for order in permutations(&[0, 1]) {
        let mut payment = TestPayment::accepted();
        for index in &order {
            payment.deliver(&reports[*index]);
        }
        assert_eq!(payment.paid_amount(), 1000, "{order:?}");
        let kinds = payment.kinds();
        let successes = kinds.iter().filter(|kind| **kind == "payment.succeeded");
        assert_eq!(successes.count(), 1, "{order:?}: {kinds:?}");
    }
}

#[test]
fn an_external_refund_keeps_its_sum_after_a_later_callback_without_a_sum() {
    let mut payment = TestPayment::paid();
    let fields = json!({ "sum_initial": null, "date": "2019-07-02T10:28:20+0000" });
    payment.deliver(&refund_of_300()).deliver(&refund_operation(
        "37493000003451",
        "success",
        fields,
    ));
    assert_eq!(payment.refund_sums(), (300, 0, 700));
}
