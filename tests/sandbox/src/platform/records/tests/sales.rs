//! Sales, from the request to the bank.

use super::super::{Clarified, Status};
use super::*;
use crate::platform::messages::codes;

#[test]
fn a_sale_is_paid_once() {
    let mut records = sold(1000);
    let change = records.proceed("p-1", &plan(), NOW).unwrap();
    assert_eq!(change.payment.status(), Status::AwaitingRedirect);
    assert_eq!(change.operation.code, codes::AWAITING);
    assert!(records.proceed("p-1", &plan(), NOW).is_err());
    let change = records.choose("token", pay(1000), NOW).unwrap();
    assert_eq!(change.payment.status(), Status::Success);
    assert!(records.choose("token", Choice::Decline, NOW).is_err());
    assert!(records.time_out("p-1", 1, NOW).is_err());
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
fn an_id_in_any_case_can_be_used_again_only_after_an_error() {
    let mut records = sold(1000);
    let again = |records: &mut Records| records.sale(order("P-1", 1000), "next".into(), stamp(2));
    assert_eq!(again(&mut records), Err(codes::PAYMENT_EXISTS));
    let plan = SalePlan {
        error: true,
        ..plan()
    };
    let change = records.proceed("p-1", &plan, NOW).unwrap();
    assert_eq!(change.payment.status(), Status::Error);
    assert_eq!(again(&mut records), Ok(()));
    assert!(records.choose("token", pay(1000), NOW).is_err());
}

/// A sale without a last name, and the change that requests it.
fn waiting() -> (Records, Change) {
    let mut records = Records::default();
    let order = SaleOrder {
        customer: Map::new(),
        ..order("p-1", 1000)
    };
    records.sale(order, "token".into(), stamp(1)).unwrap();
    let change = records.proceed("p-1", &plan(), NOW).unwrap();
    (records, change)
}

fn step(change: &Change) -> (u64, u32) {
    (change.operation.id, change.operation.clarification_step)
}

#[test]
fn a_sale_waits_until_the_last_name_is_complete() {
    let (mut records, first) = waiting();
    assert_eq!(first.payment.status(), Status::AwaitingClarification);
    assert_eq!(first.operation.code, codes::NEED_CLARIFICATION);
    let clarified = records.clarify("p-1", &Map::new(), NOW).unwrap();
    let Clarified::Incomplete(second) = clarified else {
        panic!("{clarified:?}");
    };
    let data = object(json!({"customer": {"last_name": "Maes"}}));
    let clarified = records.clarify("p-1", &data, NOW).unwrap();
    assert!(matches!(clarified, Clarified::SaleContinues));
    let late = records.end_clarification("p-1", step(&second), NOW);
    assert!(late.is_err());
    let change = records.proceed("p-1", &plan(), NOW).unwrap();
    assert_eq!(change.payment.status(), Status::AwaitingRedirect);
    let late = records.clarify("p-1", &data, NOW).unwrap_err();
    assert_eq!(late, codes::STATUS_FORBIDS);
}

#[test]
fn only_the_time_limit_of_the_latest_clarification_declines_a_sale() {
    let (mut records, first) = waiting();
    let clarified = records.clarify("p-1", &Map::new(), NOW).unwrap();
    let Clarified::Incomplete(second) = clarified else {
        panic!("{clarified:?}");
    };
    let early = records.end_clarification("p-1", step(&first), NOW);
    assert!(early.is_err());
    let change = records.end_clarification("p-1", step(&second), NOW);
    let declined = change.unwrap().operation;
    assert_eq!(declined.status, Status::Decline);
    assert_eq!(declined.code, codes::NEED_CLARIFICATION);
}

#[test]
fn an_open_sale_is_declined_at_its_time_limit() {
    let change = sold(1000).time_out("p-1", 1, NOW).unwrap();
    assert_eq!(change.operation.code, codes::TIME_OUT);
    assert!(sold(1000).time_out("p-1", 2, NOW).is_err());
}
