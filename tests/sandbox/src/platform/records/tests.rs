//! Tests the rules that are not visible in callbacks or control calls. `platform/tests` tests the other rules over
//! HTTP.
#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::added_operations::{FurtherSale, ManualChange, SaleResult};
use super::refunds::RefundReversal;
use super::{
    CURRENCY, Change, CreditingResult, Payment, RefundOrder, Requirement, SaleOrder, Stamp, Status,
};
use crate::platform::faults::Faults;
use crate::platform::messages::codes::{self, Code};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const SALE: u64 = 1;

fn faults(switches: Value) -> Faults {
    serde_json::from_value(switches).unwrap()
}

fn stamp(operation_id: u64) -> Stamp {
    Stamp {
        operation_id,
        request_id: format!("request-{operation_id}"),
        now: NOW,
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn sold(amount: u64, customer: Value) -> Payment {
    let order = SaleOrder {
        payment_id: "p-1".into(),
        amount,
        customer: object(customer),
        ..SaleOrder::default()
    };
    Payment::with_sale(order, "token".into(), stamp(SALE))
}

fn proceed(payment: &mut Payment) -> Result<Change, Code> {
    payment.proceed(&Faults::default().sale_plan(), NOW)
}

/// The sale is declined if it is below one euro. Otherwise the shopper can pay.
fn at_bank(amount: u64) -> Payment {
    let mut payment = sold(amount, json!({"last_name": "Peeters"}));
    proceed(&mut payment).unwrap();
    payment
}

/// The payment is for 10.00 EUR.
fn paid_with(switches: Value) -> Payment {
    let mut payment = at_bank(1000);
    payment.pay(faults(switches).charge(1000), NOW).unwrap();
    payment
}

fn refund(payment: &mut Payment, operation_id: u64, amount: u64) -> Result<(), Code> {
    let order = RefundOrder {
        sum: Some((amount, CURRENCY.into())),
        merchant_refund_id: None,
    };
    payment.refund(order, stamp(operation_id))
}

fn settle(payment: &mut Payment, refund: u64) -> Result<Change, Code> {
    payment.settle_refund(refund, &Requirement::default(), NOW)
}

/// Returns the status, `payment.sum` and the remaining amount. Checks that [`Payment::effect`] agrees with the
/// remaining amount.
fn state(payment: &Payment) -> (&'static str, u64, u64) {
    let operations = payment.operations.iter();
    let effects: i64 = operations.map(|one| payment.effect(one)).sum();
    let remaining = payment.remaining();
    assert_eq!(effects.max(0), i64::try_from(remaining).unwrap());
    (payment.status().as_str(), payment.sum().amount, remaining)
}

#[test]
fn a_sale_at_the_bank_can_be_paid_only_once() {
    let mut payment = at_bank(1000);
    assert!(proceed(&mut payment).is_err());
    assert_eq!(payment.status(), Status::AwaitingRedirect);
    let charge = Faults::default().charge(1000);
    let change = payment.pay(charge.clone(), NOW).unwrap();
    assert!(!change.is_intermediate());
    assert_eq!(state(&payment), ("success", 1000, 1000));
    assert!(payment.pay(charge, NOW).is_err());
    assert!(payment.cancel(NOW).is_err());
}

#[test]
fn a_sale_below_one_euro_is_declined() {
    let payment = at_bank(99);
    assert_eq!(payment.status(), Status::Decline);
    let sale = payment.sale().unwrap();
    assert_eq!(sale.code, codes::OUTSIDE_LIMITS);
    assert_eq!(at_bank(100).status(), Status::AwaitingRedirect);
}

#[test]
fn only_the_time_limit_of_the_latest_clarification_declines_a_sale() {
    let step = |change: &Change| change.operation.clarification_step;
    let mut payment = sold(1000, json!({}));
    let first = proceed(&mut payment).unwrap();
    assert!(first.is_intermediate());
    let second = payment.clarify(&Map::new(), NOW).unwrap();
    assert_eq!(second.operation.status, Status::AwaitingClarification);
    let early = payment.end_clarification(SALE, step(&first), NOW);
    assert_eq!(early.unwrap_err(), codes::STATUS_FORBIDS);

    let mut complete = payment.clone();
    let data = object(json!({"customer": {"last_name": "Maes"}}));
    complete.clarify(&data, NOW).unwrap();
    let late = complete.end_clarification(SALE, step(&second), NOW);
    assert_eq!(late.unwrap_err(), codes::STATUS_FORBIDS);

    let declined = payment.end_clarification(SALE, step(&second), NOW);
    let declined = declined.unwrap().operation;
    assert_eq!(declined.status, Status::Decline);
    assert_eq!(declined.code, codes::NEED_CLARIFICATION);
}

#[test]
fn the_time_limit_declines_only_an_open_sale_that_is_not_held() {
    let mut changed = paid_with(json!({"hold_payment": "external processing"}));
    assert!(changed.time_out(SALE, NOW).is_err());
    let change = ManualChange {
        result: Status::Success,
        amount: None,
        decline_sale: false,
    };
    changed.change_manually(change, stamp(2)).unwrap();
    assert!(changed.time_out(SALE, NOW).is_err());
    assert!(paid_with(json!({})).time_out(SALE, NOW).is_err());
    let mut open = at_bank(1000);
    assert!(open.time_out(2, NOW).is_err());
    let change = open.time_out(SALE, NOW).unwrap();
    assert_eq!(change.operation.code, codes::TIME_OUT);
}

#[test]
fn a_refund_is_settled_once_and_then_reversed() {
    let mut payment = paid_with(json!({}));
    refund(&mut payment, 2, 400).unwrap();
    let reversal = RefundReversal::default();
    let early = payment.reverse_refund(2, reversal, stamp(3));
    assert_eq!(early.unwrap_err(), codes::STATUS_FORBIDS);
    settle(&mut payment, 2).unwrap();
    assert!(settle(&mut payment, 2).is_err());
    assert_eq!(state(&payment), ("partially refunded", 600, 600));
    let reversed = payment.reverse_refund(2, reversal, stamp(3)).unwrap();
    assert_eq!(reversed.operation.original, Some(2));
    assert_eq!(state(&payment), ("success", 1000, 1000));
}

#[test]
fn a_refund_is_refused_when_the_payment_has_received_no_money() {
    let refused = refund(&mut at_bank(1000), 2, 1);
    assert_eq!(refused, Err(codes::STATUS_FORBIDS));
}

#[test]
fn the_second_refund_is_declined_when_both_refunds_together_exceed_the_remaining_amount() {
    let mut payment = paid_with(json!({}));
    refund(&mut payment, 2, 700).unwrap();
    refund(&mut payment, 3, 700).unwrap();
    settle(&mut payment, 2).unwrap();
    let second = settle(&mut payment, 3).unwrap().operation;
    assert_eq!(second.status, Status::Decline);
    assert_eq!(second.code, codes::REFUND_TOO_LARGE);
    assert_eq!(state(&payment), ("partially refunded", 300, 300));
}

#[test]
fn a_refund_is_limited_by_the_amount_that_was_really_received() {
    let mut payment = paid_with(json!({"wrong_amount": 900, "wrong_amount_in": []}));
    assert_eq!(state(&payment), ("success", 1000, 900));
    refund(&mut payment, 2, 901).unwrap();
    let declined = settle(&mut payment, 2).unwrap().operation;
    assert_eq!(declined.code, codes::REFUND_TOO_LARGE);
    refund(&mut payment, 3, 900).unwrap();
    settle(&mut payment, 3).unwrap();
    assert_eq!(state(&payment), ("refunded", 100, 0));
}

#[test]
fn a_wrong_amount_is_shown_only_in_the_fields_of_the_switch_wrong_amount_in() {
    for (fields, expected) in [
        (json!(["payment_sum"]), [900, 1000, 1000]),
        (json!(["sum_initial"]), [1000, 900, 1000]),
        (json!(["sum_converted"]), [1000, 1000, 900]),
        (json!(["payment_sum", "sum_initial"]), [900, 900, 1000]),
    ] {
        let payment = paid_with(json!({"wrong_amount": 900, "wrong_amount_in": fields}));
        let sale = payment.sale().unwrap();
        let sums = [&payment.sum(), &sale.sum_initial, &sale.sum_converted];
        assert_eq!(sums.map(|sum| sum.amount), expected);
        assert_eq!((sale.amount, payment.remaining()), (1000, 900));
    }
    let switches = json!({"wrong_currency": "USD", "wrong_amount_in": ["payment_sum"]});
    let payment = paid_with(switches);
    assert_eq!(payment.sum().currency, "USD");
    assert_eq!(payment.sale().unwrap().sum_initial.currency, "EUR");
}

#[test]
fn money_counts_as_received_only_after_its_crediting_is_confirmed() {
    for first in [
        "awaiting confirmation",
        "processing",
        "external processing",
        "success",
    ] {
        let mut payment = paid_with(json!({"confirmation": {"first_status": first}}));
        assert_eq!(state(&payment), (first, 1000, 0));
        let begun = payment.begin_confirmation(stamp(2)).unwrap();
        assert!(begun.is_intermediate());
        assert!(payment.begin_confirmation(stamp(3)).is_err());
        assert!(payment.is_confirmation_open());
        assert_eq!(state(&payment), ("awaiting confirmation", 1000, 0));
        let credited = payment.settle_confirmation(CreditingResult::Credit, NOW);
        assert!(!credited.unwrap().is_intermediate());
        assert_eq!(state(&payment), ("success", 1000, 1000));
    }
}

#[test]
fn a_refund_is_declined_when_the_money_is_not_confirmed() {
    let mut payment = paid_with(json!({"confirmation": {"first_status": "success"}}));
    refund(&mut payment, 2, 1).unwrap();
    let declined = settle(&mut payment, 2).unwrap().operation;
    assert_eq!(declined.code, codes::REFUND_TOO_LARGE);
}

#[test]
fn a_sale_is_reversed_once_when_its_crediting_was_declined() {
    let mut payment = paid_with(json!({"confirmation": {}}));
    payment.begin_confirmation(stamp(2)).unwrap();
    assert!(payment.reverse_sale(stamp(3)).is_err());
    let result = CreditingResult::DeclineAndReverse;
    let declined = payment.settle_confirmation(result, NOW).unwrap();
    assert!(declined.is_intermediate());
    let reversed = payment.reverse_sale(stamp(3)).unwrap();
    assert!(!reversed.is_intermediate());
    assert_eq!(state(&payment), ("reversed", 0, 0));
    assert!(payment.reverse_sale(stamp(4)).is_err());
}

#[test]
fn money_can_be_refunded_while_another_sale_is_open_and_only_added_sales_can_be_settled() {
    let mut payment = at_bank(1000);
    payment.cancel(NOW).unwrap();
    for (id, status) in [(2, Status::Processing), (3, Status::Success)] {
        let sale = FurtherSale {
            amount: None,
            status,
        };
        payment.add_sale(sale, stamp(id)).unwrap();
    }
    assert_eq!(state(&payment), ("processing", 1000, 1000));
    assert_eq!(refund(&mut payment, 4, 100), Ok(()));
    let decline = SaleResult {
        status: Status::Decline,
    };
    let first = payment.settle_added_sale(SALE, decline, stamp(5));
    assert_eq!(first.unwrap_err(), codes::STATUS_FORBIDS);
    payment.settle_added_sale(2, decline, stamp(5)).unwrap();
    assert_eq!(state(&payment), ("success", 1000, 1000));
}
