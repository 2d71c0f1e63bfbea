//! Refunds and their reversals.

use super::super::{Clarified, FieldNames, RefundReversal, Status};
use super::*;
use crate::platform::messages::codes;

#[test]
fn a_refund_reduces_the_remaining_amount() {
    let mut records = paid(1000);
    refund(&mut records, 2, 400, Some("r-1")).unwrap();
    let change = settle(&mut records, 2).unwrap();
    assert_eq!(change.payment.status(), Status::PartiallyRefunded);
    assert_eq!(change.payment.remaining(), 600);
    assert!(settle(&mut records, 2).is_err());

    let rest = RefundOrder {
        payment_id: "p-1".into(),
        sum: None,
        merchant_refund_id: None,
    };
    records.refund(rest, stamp(3)).unwrap();
    let change = settle(&mut records, 3).unwrap();
    assert_eq!(change.operation.amount, 600);
    assert_eq!((status(&records), remaining(&records)), ("refunded", 0));

    let repeat = refund(&mut records, 4, 400, Some("r-1"));
    assert_eq!(repeat, Err(codes::REFUND_EXISTS));
    let late = refund(&mut records, 4, 1, None);
    assert_eq!(late, Err(codes::STATUS_FORBIDS));
}

#[test]
fn a_refund_above_the_remaining_amount_is_declined_later() {
    let mut records = paid(1000);
    refund(&mut records, 2, 700, None).unwrap();
    refund(&mut records, 3, 700, None).unwrap();
    settle(&mut records, 2).unwrap();
    let change = settle(&mut records, 3).unwrap();
    assert_eq!(change.operation.status, Status::Decline);
    assert_eq!(change.operation.code, codes::REFUND_TOO_LARGE);
    assert_eq!(change.payment.status(), Status::PartiallyRefunded);
    assert_eq!(change.payment.remaining(), 300);
}

#[test]
fn a_refund_needs_a_paid_payment_and_its_currency() {
    let unpaid = refund(&mut sold(1000), 2, 1, None);
    assert_eq!(unpaid, Err(codes::STATUS_FORBIDS));
    let unknown = refund(&mut Records::default(), 2, 1, None);
    assert_eq!(unknown, Err(codes::NOT_FOUND));
    let dollars = RefundOrder {
        payment_id: "p-1".into(),
        sum: Some((1, "USD".into())),
        merchant_refund_id: None,
    };
    let answer = paid(1000).refund(dollars, stamp(2));
    assert_eq!(answer, Err(codes::REFUND_CURRENCY));
}

#[test]
fn a_refund_is_limited_by_the_amount_that_was_really_received() {
    let faults = json!({"wrong_amount": 900, "wrong_amount_in": []});
    let mut records = paid_with(faults);
    assert_eq!((sum(&records), remaining(&records)), (1000, 900));
    refund(&mut records, 2, 901, None).unwrap();
    let declined = settle(&mut records, 2).unwrap();
    assert_eq!(declined.operation.code, codes::REFUND_TOO_LARGE);
    refund(&mut records, 3, 900, None).unwrap();
    let done = settle(&mut records, 3).unwrap();
    assert_eq!(done.operation.status, Status::Success);
    assert_eq!(status(&records), "refunded");
}

#[test]
fn a_refund_can_be_reversed_in_parts() {
    let mut records = paid(1000);
    let reverse = |records: &mut Records, reversal, operation_id| {
        let reversed = records.reverse_refund("p-1", 2, reversal, stamp(operation_id));
        reversed.map(|change| change.operation)
    };
    let part = |amount| RefundReversal {
        amount: Some(amount),
        with_merchant_refund_id: false,
    };
    let rest = RefundReversal {
        amount: None,
        with_merchant_refund_id: true,
    };
    refund(&mut records, 2, 1000, Some("r-1")).unwrap();
    let early = reverse(&mut records, rest, 3);
    assert_eq!(early.unwrap_err(), codes::STATUS_FORBIDS);
    settle(&mut records, 2).unwrap();
    assert_eq!((status(&records), sum(&records)), ("refunded", 0));

    let reversal = reverse(&mut records, part(250), 4).unwrap();
    assert_eq!(reversal.merchant_refund_id, None);
    assert_eq!(reversal.original, Some(2));
    assert_eq!(reversal.request_id, "request-2");
    let expected = ("partially refunded", 250);
    assert_eq!((status(&records), sum(&records)), expected);
    let too_large = reverse(&mut records, part(751), 5);
    assert_eq!(too_large.unwrap_err(), codes::REFUND_TOO_LARGE);
    let reversal = reverse(&mut records, rest, 5).unwrap();
    assert_eq!(reversal.merchant_refund_id.as_deref(), Some("r-1"));
    assert_eq!((status(&records), sum(&records)), ("success", 1000));
    assert_eq!(remaining(&records), 1000);

    refund(&mut records, 6, 1000, None).unwrap();
    let again = settle(&mut records, 6).unwrap();
    assert_eq!(again.operation.status, Status::Success);
    assert_eq!((status(&records), remaining(&records)), ("refunded", 0));
}

#[test]
fn a_refund_that_waits_for_data_does_not_change_the_payment() {
    let requirement = Requirement {
        fields: FieldNames::from([("account".into(), vec!["number".into()])]),
        ..Requirement::default()
    };
    let settle =
        |records: &mut Records, id| records.settle_refund("p-1", id, &requirement, NOW).unwrap();
    let mut records = paid(1000);
    refund(&mut records, 2, 400, None).unwrap();
    let waiting = settle(&mut records, 2);
    assert_eq!(waiting.operation.status, Status::AwaitingClarification);
    assert!(waiting.is_intermediate());
    assert_eq!((status(&records), sum(&records)), ("success", 1000));

    let empty = object(json!({"account": {"number": ""}}));
    let clarified = records.clarify("P-1", &empty, NOW).unwrap();
    assert!(matches!(clarified, Clarified::Incomplete(_)));
    let early = records.end_clarification("p-1", (2, 1), NOW);
    assert!(early.is_err(), "the time limit of an earlier step");
    let data = object(json!({"account": {"number": "BE1"}}));
    let clarified = records.clarify("p-1", &data, NOW).unwrap();
    assert!(matches!(clarified, Clarified::RefundContinues(2)));
    let done = settle(&mut records, 2);
    assert_eq!(done.operation.status, Status::Success);

    refund(&mut records, 3, 100, None).unwrap();
    let step = settle(&mut records, 3).operation.clarification_step;
    let declined = records.end_clarification("p-1", (3, step), NOW);
    assert_eq!(declined.unwrap().operation.status, Status::Decline);
    assert_eq!(status(&records), "partially refunded");
}
