//! The confirmation procedure.

use super::super::{CreditingResult, OperationType, Status};
use super::*;
use crate::platform::messages::codes;

fn report(records: &mut Records, result: CreditingResult) -> Result<Change, Code> {
    records.settle_confirmation("p-1", result, NOW)
}

/// A payment whose confirmation procedure has begun.
fn begun() -> Records {
    let mut records = paid_with(json!({"confirmation": {}}));
    records.begin_confirmation("p-1", stamp(2)).unwrap();
    records
}

#[test]
fn money_is_received_when_its_crediting_is_confirmed() {
    for first in [
        "awaiting confirmation",
        "processing",
        "external processing",
        "success",
    ] {
        let mut records = paid_with(json!({"confirmation": {"first_status": first}}));
        assert_eq!((status(&records), remaining(&records)), (first, 0));
        let begun = records.begin_confirmation("p-1", stamp(2)).unwrap();
        assert!(begun.is_intermediate());
        assert_eq!(begun.operation.request_id, "request-1");
        assert_eq!(status(&records), "awaiting confirmation");
        assert!(records.begin_confirmation("p-1", stamp(3)).is_err());
        assert!(records.is_confirmation_open("p-1"));
        assert_eq!(remaining(&records), 0);
        let credited = report(&mut records, CreditingResult::Credit).unwrap();
        assert!(!credited.is_intermediate());
        assert_eq!((status(&records), sum(&records)), ("success", 1000));
        assert_eq!(remaining(&records), 1000);
    }
}

#[test]
fn a_declined_confirmation_declines_the_payment_but_not_the_sale() {
    let mut records = begun();
    let declined = report(&mut records, CreditingResult::Decline).unwrap();
    assert_eq!(declined.operation.code, codes::NOT_CREDITED);
    assert_eq!(declined.payment.sale_status(), Some(Status::Success));
    assert_eq!((status(&records), remaining(&records)), ("decline", 0));
    let refused = refund(&mut records, 3, 1, None);
    assert_eq!(refused, Err(codes::STATUS_FORBIDS));

    report(&mut records, CreditingResult::Credit).unwrap();
    assert_eq!((status(&records), remaining(&records)), ("success", 1000));
    let repeated = report(&mut records, CreditingResult::Credit);
    assert_eq!(repeated.unwrap_err(), codes::STATUS_FORBIDS);
    report(&mut records, CreditingResult::Decline).unwrap();
    assert_eq!((status(&records), remaining(&records)), ("decline", 0));
}

#[test]
fn a_declined_confirmation_can_be_followed_by_a_reversal() {
    let mut records = begun();
    assert!(records.reverse_sale("p-1", stamp(3)).is_err());
    let result = CreditingResult::DeclineAndReverse;
    let declined = report(&mut records, result).unwrap();
    assert!(declined.is_intermediate());
    assert_eq!(status(&records), "awaiting confirmation");
    let reversed = records.reverse_sale("p-1", stamp(3)).unwrap();
    assert_eq!(reversed.operation.kind, OperationType::Reversal);
    assert!(!reversed.is_intermediate());
    assert_eq!((status(&records), sum(&records)), ("reversed", 0));
    assert_eq!(remaining(&records), 0);
    assert!(records.reverse_sale("p-1", stamp(4)).is_err());
    let late = report(&mut records, CreditingResult::Credit);
    assert_eq!(late.unwrap_err(), codes::STATUS_FORBIDS);
}

#[test]
fn unconfirmed_money_cannot_be_refunded() {
    let mut records = paid_with(json!({"confirmation": {"first_status": "success"}}));
    refund(&mut records, 2, 1, None).unwrap();
    let change = settle(&mut records, 2).unwrap();
    assert_eq!(change.operation.code, codes::REFUND_TOO_LARGE);
}
