//! Tests the daily report: the payments and operations that it lists, and their totals.

use std::collections::BTreeSet;

use payments::model::day::Day;
use payments::model::{Outcome, Payment, Status};
use payments::service::callback::Verified;
use payments::service::report::{OperationRow, PaymentRow, Rows, TotalRow, TotalStatus, Totals};
use serde_json::{Value, json};

use crate::fixtures::*;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// Returns a payment that was created on July 1st, paid on July 2nd, and partly refunded on July 4th.
fn refunded() -> TestPayment {
    let mut payment = TestPayment::created_at(at("2019-07-01T23:59:59"));
    payment.callback("sale_success");
    payment.reserve("r-1", Some(250)).unwrap();
    let refund = json!({ "merchant_refund_id": "r-1", "date": "2019-07-04T00:00:00+0000" });
    payment.deliver(&refund_operation("77", "success", refund));
    payment
}

/// Returns whether the report of a day lists the payment, and the number of listed operations.
fn counts(payment: &Payment, of: &str) -> (bool, usize) {
    let rows = Rows::of(payment, day(of));
    (rows.payment.is_some(), rows.operations.len())
}

#[test]
fn a_payment_is_listed_on_its_first_day_and_an_operation_on_the_day_it_ended() {
    let payment = refunded();
    assert_eq!(counts(&payment, "2019-07-01"), (true, 0));
    assert_eq!(counts(&payment, "2019-07-02"), (false, 1));
    assert_eq!(counts(&payment, "2019-07-03"), (false, 0));
    assert_eq!(counts(&payment, "2019-07-04"), (false, 1));
    let days = payment.days();
    let days = Vec::from_iter(days.iter().map(Day::to_string));
    assert_eq!(days, ["2019-07-01", "2019-07-02", "2019-07-04"]);
}

/// Returns a report of the sale with this date as `payment.date` and as `operation.date`.
fn dated(date: &str) -> Verified {
    edited("sale_success", |body| {
        for part in ["payment", "operation"] {
            body[part]["date"] = date.into();
        }
    })
}

#[test]
fn an_operation_that_is_reported_again_with_a_later_date_stays_on_the_day_it_ended() {
    let mut payment = refunded();
    payment.deliver(&dated("2019-07-03T10:00:00+0000"));
    assert_eq!(counts(&payment, "2019-07-02"), (false, 1));
    assert_eq!(counts(&payment, "2019-07-03"), (false, 0));
}

#[test]
fn a_wrong_date_in_a_callback_does_not_move_an_operation_that_a_signed_answer_lists() {
    for date in [
        "2018-07-02T09:30:00+0000",
        "0000",
        "",
        "2019-07-01 12:30:00",
    ] {
        let mut payment = TestPayment::created_at(at("2019-07-01T23:59:59"));
        payment.deliver(&dated(date));
        payment.status_answer(&dated("2019-07-03T10:00:00+0000"));
        assert_eq!(counts(&payment, "2019-07-03"), (false, 1), "{date}");
        payment.status_answer(&dated("2019-07-04T10:00:00+0000"));
        assert_eq!(counts(&payment, "2019-07-03"), (false, 1), "{date}");
    }
}

#[test]
fn an_open_operation_is_listed_on_the_first_day_of_its_payment() {
    let payment = TestPayment::with_callbacks(&["processing"]);
    let first = Day::of(payment.created_at()).to_string();
    assert_eq!(counts(&payment, &first), (true, 1));
}

#[test]
fn a_row_has_the_ids_and_amounts_of_the_payment_and_no_personal_data() {
    let payment = refunded();
    let rows = Rows::of(&payment, day("2019-07-01"));
    let row = json!(rows.payment);
    for (name, value) in [
        ("day", json!("2019-07-01")),
        ("payment_id", json!(PAYMENT)),
        ("order_id", json!("order-1")),
        ("storefront", json!("shop")),
        ("status", json!("partially_refunded")),
        ("code", Value::Null),
        ("channel", json!("gate")),
        ("currency", json!("EUR")),
        ("amount", json!(1000)),
        ("paid_amount", json!(1000)),
        ("refunded_amount", json!(250)),
        ("pending_refund_amount", json!(0)),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    let mut texts = row.to_string();
    let rows = Rows::of(&payment, day("2019-07-04"));
    let row = json!(rows.operations[0]);
    texts += &json!(rows.operations).to_string();
    for (name, value) in [
        ("type", json!("refund")),
        ("status", json!("succeeded")),
        ("amount", json!(250)),
        ("refund_id", json!("r-1")),
        ("ended_at", json!("2019-07-04T00:00:00Z")),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    for personal in ["canary-customer", "Canaryname", "192.0.2.77", "Johnson"] {
        assert!(!texts.contains(personal), "{personal}");
    }
}

#[test]
fn the_columns_are_the_names_of_the_fields() {
    let payment = refunded();
    let check = |row: Value, columns: &[&str]| {
        let fields = row.as_object().unwrap().keys().map(String::as_str);
        let columns = columns.iter().copied();
        assert_eq!(BTreeSet::from_iter(fields), BTreeSet::from_iter(columns));
    };
    let rows = Rows::of(&payment, day("2019-07-04"));
    check(json!(rows.operations[0]), &OperationRow::COLUMNS);
    let rows = Rows::of(&payment, day("2019-07-01"));
    check(json!(rows.payment), &PaymentRow::COLUMNS);
    let mut totals = Totals::default();
    totals.add(&rows);
    check(json!(totals.rows().next()), &TotalRow::COLUMNS);
}

#[test]
fn totals_count_payments_and_operations_by_type_outcome_and_code() {
    let declined = TestPayment::with_callbacks(&["sale_decline_customer"]);
    let mut failed = TestPayment::created();
    failed.sale_answer(&refused("2004"));
    let (paid, external) = (refunded(), TestPayment::external(corpus("sale_success")));
    let mut totals = Totals::default();
    for payment in [&paid, &paid, &declined, &failed, &external] {
        for day in payment.days() {
            totals.add(&Rows::of(payment, day));
        }
    }
    let total = |of: &str, status: TotalStatus, code: Option<&str>| {
        let rows = totals.rows();
        let found = rows.filter(|row| (row.of, row.status, row.code) == (of, status, code));
        let found = Vec::from_iter(found.map(|row| (row.count, row.amount.unwrap())));
        assert_eq!(found.len(), 1, "{of} {status:?} {found:?}");
        found[0]
    };
    let (payment, operation) = (TotalStatus::Payment, TotalStatus::Operation);
    let code = declined.declining_operation().unwrap().code();
    for (of, status, code, expected) in [
        (
            "payment",
            payment(Status::PartiallyRefunded),
            None,
            (2, 2000),
        ),
        ("payment", payment(Status::Declined), code, (1, 1000)),
        ("payment", payment(Status::Failed), Some("2004"), (1, 1000)),
        ("payment", payment(Status::Unmatched), None, (1, 1000)),
        ("sale", operation(Outcome::Succeeded), Some("0"), (3, 3000)),
        ("sale", operation(Outcome::Declined), code, (1, 1000)),
        ("refund", operation(Outcome::Succeeded), Some("0"), (2, 500)),
    ] {
        assert_eq!(total(of, status, code), expected, "{of} {status:?}");
    }
}

#[test]
fn totals_of_external_payments_are_separate_for_each_currency() {
    let in_dollars = edited("sale_success", |body| {
        for sum in [
            "/payment/sum",
            "/operation/sum_initial",
            "/operation/sum_converted",
        ] {
            body.pointer_mut(sum).unwrap()["currency"] = json!("USD");
        }
    });
    let mut totals = Totals::default();
    for report in [corpus("sale_success"), &in_dollars] {
        let payment = TestPayment::external(report);
        totals.add(&Rows::of(&payment, Day::of(payment.created_at())));
    }
    let rows = totals.rows().filter(|row| row.of == "payment");
    let sums = Vec::from_iter(rows.map(|row| (row.currency, row.count, row.amount.unwrap())));
    assert_eq!(sums, [(Some("EUR"), 1, 1000), (Some("USD"), 1, 1000)]);
}

#[test]
fn a_total_above_the_greatest_amount_is_unknown_and_stops_no_report() {
    let greatest = edited("sale_success", |body| {
        body["payment"]["sum"]["amount"] = json!(u64::MAX);
        body["operation"]["sum_initial"]["amount"] = json!(u64::MAX);
    });
    let mut payment = TestPayment::created();
    payment.deliver(&greatest);
    assert_eq!(
        (payment.status(), payment.paid_amount()),
        (Status::Quarantined, u64::MAX)
    );
    let mut totals = Totals::default();
    let mut total = || {
        for day in payment.days() {
            totals.add(&Rows::of(&payment, day));
        }
        let sales = totals.rows().find(|row| row.of == "sale").unwrap();
        (sales.count, sales.amount)
    };
    assert_eq!(total(), (1, Some(u64::MAX)));
    assert_eq!(total(), (2, None));

    // With a second sale, the sum of the payment exceeds the greatest amount. No sum overflows to a small amount.
    let second = edited("sale_success", |body| {
        body["payment"].as_object_mut().unwrap().remove("sum");
        body["operation"]["id"] = json!(999);
        body["operation"]["sum_initial"]["amount"] = json!(u64::MAX);
    });
    payment.deliver(&second);
    let refund = json!({ "sum_initial": { "amount": u64::MAX, "currency": "EUR" } });
    for id in ["7", "8"] {
        payment.deliver(&refund_operation(id, "success", refund.clone()));
    }
    assert_eq!(payment.paid_amount(), u64::MAX);
    assert_eq!(payment.refund_sums(), (u64::MAX, 0, 0));
    payment.callback("refund_reverse_of_full");
    assert!(payment.refund_sums().0 > u64::MAX / 2);
}
