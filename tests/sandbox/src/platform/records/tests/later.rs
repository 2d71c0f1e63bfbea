//! Confirmation, refunds that are taken back or ask for data, held payments, further sales and links.

use super::*;
use crate::platform::operation::Kind;

/// A payment of 1000 that was paid with these switches.
fn paid_with(faults: serde_json::Value) -> Records {
    let faults: Faults = serde_json::from_value(faults).unwrap();
    let mut records = sold(1000);
    records.proceed("p-1", &plan(), NOW).unwrap();
    let choice = Choice::Pay(faults.charge(1000));
    records.choose("token", choice, NOW).unwrap();
    records
}

fn status(records: &Records) -> &'static str {
    records.payment("p-1").unwrap().status().as_str()
}

fn sum(records: &Records) -> u64 {
    records.payment("p-1").unwrap().sum().amount
}

fn left(records: &Records) -> u64 {
    let payment = records.payment("p-1").unwrap();
    let effects = payment.operations.iter().map(|one| payment.effect(one));
    let left = payment.left();
    assert_eq!(effects.sum::<i64>().max(0), i64::try_from(left).unwrap());
    left
}

fn credit(records: &mut Records, crediting: Crediting) -> Result<Change, Code> {
    records.settle_confirmation("p-1", crediting, NOW)
}

#[test]
fn a_sale_is_money_only_when_its_crediting_is_confirmed() {
    for first in [
        "awaiting confirmation",
        "processing",
        "external processing",
        "success",
    ] {
        let mut records = paid_with(json!({"confirmation": {"first_status": first}}));
        assert_eq!((status(&records), left(&records)), (first, 0));
        let begun = records.begin_confirmation("p-1", marks(2)).unwrap();
        assert!(begun.is_intermediate());
        assert_eq!(begun.operation.request_id, "request-1");
        assert_eq!(status(&records), "awaiting confirmation");
        assert!(records.begin_confirmation("p-1", marks(3)).is_none());
        assert!(records.is_confirmation_open("p-1"));
        assert_eq!(left(&records), 0);
        let credited = credit(&mut records, Crediting::Credited).unwrap();
        assert!(!credited.is_intermediate());
        assert_eq!((status(&records), left(&records)), ("success", 1000));
        assert_eq!(sum(&records), 1000);
    }
}

#[test]
fn a_declined_confirmation_beats_the_sale() {
    let mut records = paid_with(json!({"confirmation": {}}));
    records.begin_confirmation("p-1", marks(2)).unwrap();
    let declined = credit(&mut records, Crediting::Declined).unwrap();
    assert_eq!(declined.operation.code, codes::NOT_CREDITED);
    let payment = declined.payment;
    assert_eq!(payment.sale_status(), Some(Status::Success));
    assert_eq!((status(&records), left(&records)), ("decline", 0));
    let refused = refund(&mut records, 3, 1, None);
    assert_eq!(refused, Err(codes::STATUS_FORBIDS));

    credit(&mut records, Crediting::Credited).unwrap();
    assert_eq!((status(&records), left(&records)), ("success", 1000));
    let again = credit(&mut records, Crediting::Credited);
    assert_eq!(again.unwrap_err(), codes::STATUS_FORBIDS);
    credit(&mut records, Crediting::Declined).unwrap();
    assert_eq!((status(&records), left(&records)), ("decline", 0));
}

#[test]
fn a_declined_confirmation_can_end_in_a_reversal() {
    let mut records = paid_with(json!({"confirmation": {}}));
    records.begin_confirmation("p-1", marks(2)).unwrap();
    assert!(records.reverse_sale("p-1", marks(3)).is_none());
    let declined = credit(&mut records, Crediting::DeclinedAndReversed).unwrap();
    assert!(declined.is_intermediate());
    assert_eq!(status(&records), "awaiting confirmation");
    let reversed = records.reverse_sale("p-1", marks(3)).unwrap();
    assert_eq!(reversed.operation.kind, Kind::Reversal);
    assert!(!reversed.is_intermediate());
    assert_eq!((status(&records), sum(&records)), ("reversed", 0));
    assert_eq!(left(&records), 0);
    assert!(records.reverse_sale("p-1", marks(4)).is_none());
    let late = credit(&mut records, Crediting::Credited);
    assert_eq!(late.unwrap_err(), codes::STATUS_FORBIDS);
}

#[test]
fn unconfirmed_money_is_not_refunded() {
    let mut records = paid_with(json!({"confirmation": {"first_status": "success"}}));
    refund(&mut records, 2, 1, None).unwrap();
    let change = settle(&mut records, 2).unwrap();
    assert_eq!(change.operation.code, codes::REFUND_TOO_LARGE);
}

#[test]
fn a_refund_is_limited_by_the_money_that_really_came() {
    let faults = json!({"wrong_amount": 900, "wrong_amount_in": []});
    let mut records = paid_with(faults);
    assert_eq!((sum(&records), left(&records)), (1000, 900));
    refund(&mut records, 2, 901, None).unwrap();
    let declined = settle(&mut records, 2).unwrap();
    assert_eq!(declined.operation.code, codes::REFUND_TOO_LARGE);
    refund(&mut records, 3, 900, None).unwrap();
    let done = settle(&mut records, 3).unwrap();
    assert_eq!(done.operation.status, Status::Success);
    assert_eq!(status(&records), "refunded");
}

#[test]
fn a_refund_can_be_taken_back_in_parts() {
    let mut records = paid(1000);
    refund(&mut records, 2, 1000, Some("r-1")).unwrap();
    let early = records.reverse_refund("p-1", 2, None, false, marks(3));
    assert_eq!(early.unwrap_err(), codes::STATUS_FORBIDS);
    settle(&mut records, 2).unwrap();
    assert_eq!((status(&records), sum(&records)), ("refunded", 0));

    let part = records.reverse_refund("p-1", 2, Some(250), false, marks(4));
    let part = part.unwrap().operation;
    assert_eq!((part.merchant_refund_id, part.about), (None, Some(2)));
    assert_eq!(part.request_id, "request-2");
    assert_eq!(
        (status(&records), sum(&records)),
        ("partially refunded", 250)
    );
    let more = records.reverse_refund("p-1", 2, Some(751), false, marks(5));
    assert_eq!(more.unwrap_err(), codes::REFUND_TOO_LARGE);
    let rest = records.reverse_refund("p-1", 2, None, true, marks(5));
    let rest = rest.unwrap().operation;
    assert_eq!(rest.merchant_refund_id.as_deref(), Some("r-1"));
    assert_eq!((status(&records), sum(&records)), ("success", 1000));
    assert_eq!(left(&records), 1000);

    refund(&mut records, 6, 1000, None).unwrap();
    let again = settle(&mut records, 6).unwrap();
    assert_eq!(again.operation.status, Status::Success);
    assert_eq!((status(&records), left(&records)), ("refunded", 0));
}

#[test]
fn a_refund_waits_for_data_and_leaves_the_payment_as_it_is() {
    let fields = Fields::from([("account".into(), vec!["number".into()])]);
    let requirement = Requirement {
        fields,
        ..Requirement::default()
    };
    let mut records = paid(1000);
    refund(&mut records, 2, 400, None).unwrap();
    let asked = records.settle_refund("p-1", 2, &requirement, NOW).unwrap();
    assert_eq!(asked.operation.status, Status::AwaitingClarification);
    assert!(asked.is_intermediate());
    assert_eq!((status(&records), sum(&records)), ("success", 1000));

    let empty = Map::from_iter([("account".to_owned(), json!({"number": ""}))]);
    let still = records.clarify("P-1", &empty, NOW).unwrap();
    assert!(matches!(still, Clarified::PollResult(_)));
    let over = records.clarification_over("p-1", (2, 1), NOW);
    assert!(over.is_none(), "that round is over");
    let data = Map::from_iter([("account".to_owned(), json!({"number": "BE1"}))]);
    let clarified = records.clarify("p-1", &data, NOW).unwrap();
    assert!(matches!(clarified, Clarified::RefundContinues(2)));
    let done = records.settle_refund("p-1", 2, &requirement, NOW).unwrap();
    assert_eq!(done.operation.status, Status::Success);

    refund(&mut records, 3, 100, None).unwrap();
    let asked = records.settle_refund("p-1", 3, &requirement, NOW).unwrap();
    let round = asked.operation.round;
    let declined = records.clarification_over("p-1", (3, round), NOW).unwrap();
    assert_eq!(declined.operation.status, Status::Decline);
    assert_eq!(status(&records), "partially refunded");
}

#[test]
fn a_held_payment_is_settled_by_a_manual_change() {
    let held = json!({"hold_payment": "external processing", "wrong_amount": 900});
    let change = |status, amount| ManualChange {
        status,
        amount,
        declines_sale: false,
    };
    let mut records = paid_with(held.clone());
    assert_eq!(status(&records), "external processing");
    assert_eq!((sum(&records), left(&records)), (1000, 0));
    assert!(records.time_over(1, "p-1", NOW).is_none());
    let settled = records.manual_change("p-1", change(Status::Success, None), marks(2));
    let settled = settled.unwrap().operation;
    assert_eq!(settled.sum_initial.amount, 900);
    assert_eq!((status(&records), sum(&records)), ("success", 900));
    assert_eq!(left(&records), 900);
    assert!(records.time_over(1, "p-1", NOW).is_none());
    let again = records.manual_change("p-1", change(Status::Success, None), marks(3));
    assert_eq!(again.unwrap_err(), codes::STATUS_FORBIDS);

    let mut records = paid_with(held);
    let declined = change(Status::Decline, Some(900));
    records.manual_change("p-1", declined, marks(2)).unwrap();
    assert_eq!((status(&records), left(&records)), ("decline", 0));
}

#[test]
fn a_wrong_amount_shows_where_it_is_switched() {
    for (fields, expected) in [
        (json!(["payment_sum"]), [900, 1000, 1000]),
        (json!(["sum_initial"]), [1000, 900, 1000]),
        (json!(["sum_converted"]), [1000, 1000, 900]),
        (json!(["payment_sum", "sum_initial"]), [900, 900, 1000]),
    ] {
        let faults = json!({"wrong_amount": 900, "wrong_amount_in": fields});
        let records = paid_with(faults);
        let payment = records.payment("p-1").unwrap();
        let sale = payment.sale().unwrap();
        let shown = [
            payment.sum(),
            sale.sum_initial.clone(),
            sale.sum_converted.clone(),
        ];
        assert_eq!(shown.map(|sum| sum.amount), expected);
        assert_eq!(left(&records), 900);
    }
    let faults = json!({"wrong_currency": "USD", "wrong_amount_in": ["payment_sum"]});
    let records = paid_with(faults);
    let payment = records.payment("p-1").unwrap();
    assert_eq!(payment.sum().currency, "USD");
    assert_eq!(payment.sale().unwrap().sum_initial.currency, "EUR");
}

#[test]
fn a_payment_can_be_charged_twice() {
    let mut records = paid(1000);
    let second = records.further_sale("p-1", None, Status::Success, marks(2));
    assert!(!second.unwrap().is_intermediate());
    assert_eq!((status(&records), sum(&records)), ("success", 2000));
    refund(&mut records, 3, 2000, None).unwrap();
    settle(&mut records, 3).unwrap();
    assert_eq!((status(&records), left(&records)), ("refunded", 0));
}

#[test]
fn a_cascade_stays_in_processing_until_all_sales_are_decided() {
    let mut records = sold(1000);
    records.proceed("p-1", &plan(), NOW).unwrap();
    records.choose("token", Choice::Decline, NOW).unwrap();
    let further = |records: &mut Records, id, status| {
        let change = records.further_sale("p-1", None, status, marks(id));
        change.unwrap()
    };
    further(&mut records, 2, Status::Processing);
    assert_eq!(status(&records), "processing");
    further(&mut records, 3, Status::Success);
    assert_eq!((status(&records), sum(&records)), ("processing", 1000));
    assert_eq!(left(&records), 1000);
    assert_eq!(refund(&mut records, 4, 100, None), Ok(()));
    let first = records.end_further_sale("p-1", 1, Status::Success, NOW);
    assert_eq!(first.unwrap_err(), codes::STATUS_FORBIDS);
    let last = records.end_further_sale("p-1", 2, Status::Decline, NOW);
    assert_eq!(last.unwrap().payment.status(), Status::Success);
}

#[test]
fn an_operation_of_another_type_takes_money_only_if_it_says_so() {
    for (takes_money, expected) in [(false, 1000), (true, 1300)] {
        let mut records = paid(1000);
        let other = OtherOperation {
            name: "capture settlement".into(),
            amount: Some(300),
            status: Status::Success,
            takes_money,
        };
        let change = records.other_operation("p-1", other, marks(2)).unwrap();
        assert_eq!(change.operation.kind.as_str(), "capture settlement");
        assert_eq!((status(&records), sum(&records)), ("success", expected));
        assert_eq!(left(&records), expected);
    }
}

#[test]
fn a_link_is_sent_and_paid() {
    let mut records = Records::default();
    let order = order("p-1", 1000, None);
    let begun = records.create_link(order.clone(), "token".into(), marks(1));
    assert_eq!(begun.unwrap().payment.type_name(), "invoice");
    assert_eq!(status(&records), "awaiting payment");
    let taken = records.create_link(order, "other".into(), marks(2));
    assert_eq!(taken.unwrap_err(), codes::PAYMENT_EXISTS);
    let sent = records.enter_link("p-1", Status::InvoiceSent, NOW).unwrap();
    assert_eq!(sent.payment.status(), Status::InvoiceSent);
    let sale = records.begin_link_sale("token", marks(3)).unwrap();
    assert_eq!(sale.payment.status(), Status::AwaitingRedirect);
    let late = records.enter_link("p-1", Status::Expired, NOW);
    assert_eq!(late.unwrap_err(), codes::STATUS_FORBIDS);
    let paid = records.choose("token", pay(1000), NOW).unwrap();
    assert_eq!(paid.operation.id, 3);
    assert_eq!((status(&records), left(&records)), ("success", 1000));
}

#[test]
fn a_link_that_has_ended_is_not_paid() {
    for end in [Status::Expired, Status::InvoiceCanceled] {
        let mut records = Records::default();
        let order = order("p-1", 1000, None);
        records
            .create_link(order, "token".into(), marks(1))
            .unwrap();
        records.enter_link("p-1", end, NOW).unwrap();
        assert_eq!(status(&records), end.as_str());
        let late = records.begin_link_sale("token", marks(2));
        assert_eq!(late.unwrap_err(), codes::STATUS_FORBIDS);
        let twice = records.enter_link("p-1", Status::Expired, NOW);
        assert_eq!(twice.unwrap_err(), codes::STATUS_FORBIDS);
        assert_eq!(left(&records), 0);
    }
}
