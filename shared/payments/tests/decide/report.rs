//! Which day's report shows which part of a payment.

use std::collections::BTreeSet;

use payments::Timestamp;
use payments::decide::decide;
use payments::model::day::Day;
use payments::model::{Outcome, Payment, Status};
use payments::service::callback::Verified;
use payments::service::report::{OperationRow, PaymentRow, Rows, TotalRow, TotalStatus, Totals};
use serde::Serialize;
use serde_json::{Value, json};

use super::story::*;

fn json_of(row: &impl Serialize) -> Value {
    serde_json::to_value(row).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// Paid on one day and partly refunded on another.
fn refunded() -> Payment {
    let mut story = Story::created_at(Timestamp::of_platform("2019-07-01T23:59:59+0000").unwrap());
    story.callback("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    let refund = refund_operation(
        "77",
        "success",
        json!({
            "merchant_refund_id": "r-1",
            "date": "2019-07-04T00:00:00+0000",
        }),
    );
    story.deliver(&refund);
    story.payment
}

/// The rows of a day, without those of other days.
fn counts(payment: &Payment, of: &str) -> (bool, usize) {
    let rows = Rows::of(payment, day(of));
    (rows.payment.is_some(), rows.operations.len())
}

#[test]
fn a_payment_stands_under_its_first_day_and_an_operation_under_its_end() {
    let payment = refunded();
    let sale = payment.successful_sales().next().unwrap();
    let sold = Day::of(sale.ended_at().unwrap());
    assert_eq!(sold, day("2019-07-02"));
    assert_eq!(counts(&payment, "2019-07-01"), (true, 0));
    assert_eq!(counts(&payment, "2019-07-02"), (false, 1));
    assert_eq!(counts(&payment, "2019-07-03"), (false, 0));
    assert_eq!(counts(&payment, "2019-07-04"), (false, 1));
    // Each of them can be found by its day.
    let days: BTreeSet<String> = payment.days().iter().map(Day::to_string).collect();
    assert_eq!(
        days,
        ["2019-07-01", "2019-07-02", "2019-07-04"]
            .map(String::from)
            .into()
    );
}

#[test]
fn an_open_operation_stands_under_the_day_of_its_payment() {
    let mut story = Story::created();
    story.callback("processing");
    let first = Day::of(story.payment.created_at()).to_string();
    assert_eq!(counts(&story.payment, &first), (true, 1));
}

#[test]
fn rows_name_the_payment_its_amounts_and_its_order() {
    let payment = refunded();
    let rows = Rows::of(&payment, day("2019-07-01"));
    let row = json_of(&rows.payment);
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
    let rows = Rows::of(&payment, day("2019-07-04"));
    let row = json_of(&rows.operations[0]);
    for (name, value) in [
        ("type", json!("refund")),
        ("status", json!("succeeded")),
        ("amount", json!(250)),
        ("refund_id", json!("r-1")),
        ("ended_at", json!("2019-07-04T00:00:00Z")),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    assert!(!json_of(&rows.operations).to_string().contains("canary"));
}

#[test]
fn the_columns_are_the_fields() {
    let payment = refunded();
    let fields =
        |row: Value| -> BTreeSet<String> { row.as_object().unwrap().keys().cloned().collect() };
    let names = |columns: &[&str]| columns.iter().map(ToString::to_string).collect();
    let rows = Rows::of(&payment, day("2019-07-01"));
    assert_eq!(fields(json_of(&rows.payment)), names(&PaymentRow::COLUMNS));
    let rows = Rows::of(&payment, day("2019-07-04"));
    let operation = json_of(&rows.operations[0]);
    assert_eq!(fields(operation), names(&OperationRow::COLUMNS));
    let mut totals = Totals::default();
    totals.add(&rows);
    let total = json_of(&totals.rows().next().unwrap());
    assert_eq!(fields(total), names(&TotalRow::COLUMNS));
}

#[test]
fn totals_count_operations_by_type_outcome_and_code() {
    let mut declined = Story::created();
    declined.callback("sale_decline_customer");
    let mut failed = Story::created();
    failed.sale_answer(&refused("2004"));
    let paid = refunded();
    let unmatched = unmatched(corpus("sale_success"));
    let mut totals = Totals::default();
    for payment in [&paid, &paid, &declined.payment, &failed.payment, &unmatched] {
        for day in payment.days() {
            totals.add(&Rows::of(payment, day));
        }
    }
    let find = |of: &str, status: TotalStatus, code: Option<&str>| -> (u64, u64) {
        let found: Vec<_> = totals
            .rows()
            .filter(|row| (row.of, row.status, row.code) == (of, status, code))
            .map(|row| (row.count, row.amount))
            .collect();
        assert!(found.len() <= 1, "{found:?}");
        found.first().copied().unwrap_or_default()
    };
    let (payment, operation) = (TotalStatus::Payment, TotalStatus::Operation);
    let code = declined
        .payment
        .declining_operation()
        .unwrap()
        .code()
        .unwrap()
        .to_owned();
    let code = Some(code.as_str());
    assert_eq!(
        find("payment", payment(Status::PartiallyRefunded), None),
        (2, 2000)
    );
    assert_eq!(find("payment", payment(Status::Declined), code), (1, 1000));
    assert_eq!(
        find("payment", payment(Status::Failed), Some("2004")),
        (1, 1000)
    );
    assert_eq!(find("payment", payment(Status::Unmatched), None), (1, 1000));
    assert_eq!(
        find("sale", operation(Outcome::Succeeded), Some("0")),
        (3, 3000)
    );
    assert_eq!(find("sale", operation(Outcome::Declined), code), (1, 1000));
    assert_eq!(
        find("refund", operation(Outcome::Succeeded), Some("0")),
        (2, 500)
    );
}

#[test]
fn totals_of_unmatched_payments_are_kept_apart_by_currency() {
    let euros = unmatched(corpus("sale_success"));
    let in_dollars = edited("sale_success", |body| {
        for sum in [
            "/payment/sum",
            "/operation/sum_initial",
            "/operation/sum_converted",
        ] {
            body.pointer_mut(sum).unwrap()["currency"] = json!("USD");
        }
    });
    let dollars = unmatched(&in_dollars);
    let mut totals = Totals::default();
    for payment in [&euros, &dollars] {
        let rows = Rows::of(payment, Day::of(payment.created_at()));
        totals.add(&rows);
    }
    let sums: Vec<_> = totals
        .rows()
        .filter(|row| row.of == "payment")
        .map(|row| (row.currency, row.count, row.amount))
        .collect();
    assert_eq!(sums, [(Some("EUR"), 1, 1000), (Some("USD"), 1, 1000)]);
}

/// A payment that was not created here.
fn unmatched(report: &Verified) -> Payment {
    decide(None, report.fact(), NOW).unwrap().payment
}
