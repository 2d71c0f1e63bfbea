//! The state machine, step by step.
#![allow(clippy::unwrap_used)]

mod later;

use serde_json::{Map, json};

use super::*;
use crate::platform::clarification::{Fields, Requirement};
use crate::platform::faults::Faults;
use crate::platform::operation::CURRENCY;
use crate::platform::order::{Marks, RefundOrder, SaleOrder};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn plan() -> SalePlan {
    SalePlan {
        redirect: true,
        error: false,
        requirement: Faults::default().sale_requirement(),
    }
}

fn pay(amount: u64) -> Choice {
    Choice::Pay(Faults::default().charge(amount))
}

/// Settles a refund that asks for nothing.
fn settle(records: &mut Records, refund: u64) -> Option<Change> {
    records.settle_refund("p-1", refund, &Requirement::default(), NOW)
}

fn marks(operation_id: u64) -> Marks {
    Marks {
        operation_id,
        request_id: format!("request-{operation_id}"),
        now: NOW,
    }
}

fn order(payment_id: &str, amount: u64, last_name: Option<&str>) -> SaleOrder {
    let mut customer = Map::new();
    if let Some(name) = last_name {
        customer.insert("last_name".into(), json!(name));
    }
    SaleOrder {
        payment_id: payment_id.into(),
        amount,
        description: None,
        customer,
        return_url: Default::default(),
        callbacks: Default::default(),
        link: None,
    }
}

fn sold(amount: u64) -> Records {
    let mut records = Records::default();
    let order = order("p-1", amount, Some("Peeters"));
    records.sale(order, "token".into(), marks(1)).unwrap();
    records
}

fn paid(amount: u64) -> Records {
    let mut records = sold(amount);
    records.proceed("p-1", &plan(), NOW).unwrap();
    records.choose("token", pay(amount), NOW).unwrap();
    records
}

fn refund(records: &mut Records, number: u64, amount: u64, id: Option<&str>) -> Result<(), Code> {
    let order = RefundOrder {
        payment_id: "P-1".into(),
        sum: Some((amount, CURRENCY.into())),
        merchant_refund_id: id.map(str::to_owned),
    };
    records.refund(order, marks(number))
}

#[test]
fn a_sale_is_paid_once() {
    let mut records = sold(1000);
    let change = records.proceed("p-1", &plan(), NOW).unwrap();
    assert_eq!(change.payment.status(), Status::AwaitingRedirect);
    assert_eq!(change.operation.code, codes::AWAITING);
    assert!(records.proceed("p-1", &plan(), NOW).is_none());
    let change = records.choose("token", pay(1000), NOW).unwrap();
    assert_eq!(change.payment.status(), Status::Success);
    assert!(records.choose("token", Choice::Decline, NOW).is_none());
    assert!(records.time_over(1, "p-1", NOW).is_none());
}

#[test]
fn a_sale_below_one_euro_is_declined() {
    let change = sold(99).proceed("p-1", &plan(), NOW).unwrap();
    assert_eq!(change.payment.status(), Status::Decline);
    assert_eq!(change.operation.code, codes::OUTSIDE_LIMITS);
    let change = sold(100).proceed("p-1", &plan(), NOW).unwrap();
    assert_eq!(change.payment.status(), Status::AwaitingRedirect);
}

#[test]
fn an_id_is_used_once_in_any_spelling_unless_it_ended_in_error() {
    let mut records = sold(1000);
    let again = |records: &mut Records| {
        records.sale(order("P-1", 1000, Some("Peeters")), "next".into(), marks(2))
    };
    assert_eq!(again(&mut records), Err(codes::PAYMENT_EXISTS));
    let plan = SalePlan {
        error: true,
        ..plan()
    };
    let change = records.proceed("p-1", &plan, NOW).unwrap();
    assert_eq!(change.payment.status(), Status::Error);
    assert_eq!(again(&mut records), Ok(()));
    assert!(records.choose("token", pay(1000), NOW).is_none());
}

#[test]
fn a_missing_last_name_is_asked_for_until_it_comes() {
    let mut records = Records::default();
    let order = order("p-1", 1000, None);
    records.sale(order, "token".into(), marks(1)).unwrap();
    let asked = records.proceed("p-1", &plan(), NOW).unwrap();
    assert_eq!(asked.payment.status(), Status::AwaitingClarification);
    assert_eq!(asked.operation.code, codes::NEED_CLARIFICATION);
    let still = records.clarify("p-1", &Map::new(), NOW).unwrap();
    let Clarified::PollResult(still) = still else {
        panic!("{still:?}");
    };
    let round = |change: &Change| (1, change.operation.round);
    let mut over = |change| records.clarification_over("p-1", round(change), NOW);
    assert!(over(&asked).is_none());

    let mut declined = Records {
        payments: records.payments.clone(),
        ..Records::default()
    };
    let change = declined.clarification_over("p-1", round(&still), NOW);
    let change = change.unwrap();
    assert_eq!(change.operation.status, Status::Decline);
    assert_eq!(change.operation.code, codes::NEED_CLARIFICATION);

    let data = Map::from_iter([("customer".to_owned(), json!({"last_name": "Maes"}))]);
    let clarified = records.clarify("p-1", &data, NOW).unwrap();
    assert!(matches!(clarified, Clarified::SaleContinues));
    let over = records.clarification_over("p-1", round(&still), NOW);
    assert!(over.is_none());
    let change = records.proceed("p-1", &plan(), NOW).unwrap();
    assert_eq!(change.payment.status(), Status::AwaitingRedirect);
    let late = records.clarify("p-1", &data, NOW).unwrap_err();
    assert_eq!(late, codes::STATUS_FORBIDS);
}

#[test]
fn an_open_sale_is_declined_in_the_end() {
    let change = sold(1000).time_over(1, "p-1", NOW).unwrap();
    assert_eq!(change.operation.code, codes::TIME_OUT);
    assert!(sold(1000).time_over(2, "p-1", NOW).is_none());
}

#[test]
fn refunds_leave_the_rest() {
    let mut records = paid(1000);
    refund(&mut records, 2, 400, Some("r-1")).unwrap();
    let change = settle(&mut records, 2).unwrap();
    assert_eq!(change.payment.status(), Status::PartiallyRefunded);
    assert_eq!(change.payment.left(), 600);
    assert!(settle(&mut records, 2).is_none());

    let rest = RefundOrder {
        payment_id: "p-1".into(),
        sum: None,
        merchant_refund_id: None,
    };
    records.refund(rest, marks(3)).unwrap();
    let change = settle(&mut records, 3).unwrap();
    assert_eq!(change.payment.status(), Status::Refunded);
    assert_eq!((change.operation.amount, change.payment.left()), (600, 0));

    let repeat = refund(&mut records, 4, 400, Some("r-1")).unwrap_err();
    assert_eq!(repeat, codes::REFUND_EXISTS);
    let more = refund(&mut records, 4, 1, None).unwrap_err();
    assert_eq!(more, codes::STATUS_FORBIDS);
}

#[test]
fn a_refund_above_the_rest_is_declined_later() {
    let mut records = paid(1000);
    refund(&mut records, 2, 700, None).unwrap();
    refund(&mut records, 3, 700, None).unwrap();
    assert!(settle(&mut records, 2).is_some());
    let change = settle(&mut records, 3).unwrap();
    assert_eq!(change.operation.status, Status::Decline);
    assert_eq!(change.operation.code, codes::REFUND_TOO_LARGE);
    assert_eq!(change.payment.status(), Status::PartiallyRefunded);
    assert_eq!(change.payment.left(), 300);
}

#[test]
fn a_refund_needs_a_paid_payment_and_its_currency() {
    let mut open = sold(1000);
    assert_eq!(refund(&mut open, 2, 1, None), Err(codes::STATUS_FORBIDS));
    let mut empty = Records::default();
    assert_eq!(refund(&mut empty, 2, 1, None), Err(codes::NOT_FOUND));
    let dollars = RefundOrder {
        payment_id: "p-1".into(),
        sum: Some((1, "USD".into())),
        merchant_refund_id: None,
    };
    let answer = paid(1000).refund(dollars, marks(2));
    assert_eq!(answer, Err(codes::REFUND_CURRENCY));
}

#[test]
fn the_bank_can_take_another_amount() {
    let mut records = sold(1000);
    records.proceed("p-1", &plan(), NOW).unwrap();
    let faults: Faults = serde_json::from_str(r#"{"wrong_amount": 950}"#).unwrap();
    let choice = Choice::Pay(faults.charge(1000));
    let change = records.choose("token", choice, NOW).unwrap();
    assert_eq!(change.operation.amount, 1000);
    assert_eq!(change.operation.sum_initial.amount, 1000);
    assert_eq!(change.operation.sum_converted.amount, 950);
    assert_eq!(
        (change.payment.sum().amount, change.payment.left()),
        (950, 950)
    );
}
