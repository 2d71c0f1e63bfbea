//! Wrong amounts, held payments, further sales and operations of other types.

use super::super::{FurtherSale, ManualChange, OtherOperation, Status};
use super::*;
use crate::platform::messages::codes;

#[test]
fn a_held_payment_is_decided_by_a_manual_change() {
    let held = json!({"hold_payment": "external processing", "wrong_amount": 900});
    let change = |result, amount| ManualChange {
        result,
        amount,
        decline_sale: false,
    };
    let success = change(Status::Success, None);
    let mut records = paid_with(held.clone());
    assert_eq!(status(&records), "external processing");
    assert_eq!((sum(&records), remaining(&records)), (1000, 0));
    assert!(records.time_out("p-1", 1, NOW).is_err());
    let changed = records.manual_change("p-1", success, stamp(2)).unwrap();
    assert_eq!(changed.operation.sum_initial.amount, 900);
    assert_eq!((status(&records), sum(&records)), ("success", 900));
    assert_eq!(remaining(&records), 900);
    assert!(records.time_out("p-1", 1, NOW).is_err());
    let again = records.manual_change("p-1", success, stamp(3));
    assert_eq!(again.unwrap_err(), codes::STATUS_FORBIDS);

    let mut records = paid_with(held);
    let declined = change(Status::Decline, Some(900));
    records.manual_change("p-1", declined, stamp(2)).unwrap();
    assert_eq!((status(&records), remaining(&records)), ("decline", 0));
}

#[test]
fn a_wrong_amount_is_shown_in_the_switched_fields_only() {
    for (faults, expected) in [
        (json!({"wrong_amount": 900}), [900, 1000, 900]),
        (
            json!({"wrong_amount": 900, "wrong_amount_in": ["payment_sum"]}),
            [900, 1000, 1000],
        ),
        (
            json!({"wrong_amount": 900, "wrong_amount_in": ["sum_initial"]}),
            [1000, 900, 1000],
        ),
        (
            json!({"wrong_amount": 900, "wrong_amount_in": ["sum_converted"]}),
            [1000, 1000, 900],
        ),
        (
            json!({"wrong_amount": 900, "wrong_amount_in": ["payment_sum", "sum_initial"]}),
            [900, 900, 1000],
        ),
    ] {
        let records = paid_with(faults);
        let payment = records.payment("p-1").unwrap();
        let sale = payment.sale().unwrap();
        let sums = [&payment.sum(), &sale.sum_initial, &sale.sum_converted];
        assert_eq!(sums.map(|sum| sum.amount), expected);
        assert_eq!((sale.amount, remaining(&records)), (1000, 900));
    }
    let faults = json!({"wrong_currency": "USD", "wrong_amount_in": ["payment_sum"]});
    let records = paid_with(faults);
    let payment = records.payment("p-1").unwrap();
    assert_eq!(payment.sum().currency, "USD");
    assert_eq!(payment.sale().unwrap().sum_initial.currency, "EUR");
}

fn further(status: Status) -> FurtherSale {
    FurtherSale {
        amount: None,
        status,
    }
}

#[test]
fn a_payment_can_be_charged_twice() {
    let mut records = paid(1000);
    let second = records.further_sale("p-1", further(Status::Success), stamp(2));
    assert!(!second.unwrap().is_intermediate());
    assert_eq!((status(&records), sum(&records)), ("success", 2000));
    refund(&mut records, 3, 2000, None).unwrap();
    settle(&mut records, 3).unwrap();
    assert_eq!((status(&records), remaining(&records)), ("refunded", 0));
}

#[test]
fn a_cascade_stays_in_processing_until_every_sale_is_decided() {
    let mut records = at_bank(1000);
    records.choose("token", Choice::Decline, NOW).unwrap();
    records
        .further_sale("p-1", further(Status::Processing), stamp(2))
        .unwrap();
    assert_eq!(status(&records), "processing");
    records
        .further_sale("p-1", further(Status::Success), stamp(3))
        .unwrap();
    assert_eq!((status(&records), sum(&records)), ("processing", 1000));
    assert_eq!(remaining(&records), 1000);
    assert_eq!(refund(&mut records, 4, 100, None), Ok(()));
    let first = records.settle_further_sale("p-1", 1, Status::Success, NOW);
    assert_eq!(first.unwrap_err(), codes::STATUS_FORBIDS);
    let last = records.settle_further_sale("p-1", 2, Status::Decline, NOW);
    assert_eq!(last.unwrap().payment.status(), Status::Success);
}

#[test]
fn an_operation_of_another_type_takes_money_only_with_the_flag() {
    for (takes_money, expected) in [(false, 1000), (true, 1300)] {
        let mut records = paid(1000);
        let other = OtherOperation {
            name: "capture settlement".into(),
            amount: Some(300),
            status: Status::Success,
            takes_money,
        };
        let change = records.other_operation("p-1", other, stamp(2)).unwrap();
        assert_eq!(change.operation.type_name(), "capture settlement");
        assert_eq!((status(&records), sum(&records)), ("success", expected));
        assert_eq!(remaining(&records), expected);
    }
}
