//! Tests the life of a rejected payment. A rejection holds until an operator releases the money: the payment never
//! counts as paid, and money that was not refunded stays in quarantine.

use ecommpay::answer::Answer;
use payments::decide::{Command, execute};
use payments::model::{Payment, QuarantineReason, RefundStatus, Status, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::builders::reports::{TestReport, euros};
use crate::campaigns::is_long;
use crate::fixtures::*;

/// Returns an operation with a date in this minute.
fn operation(id: &str, kind: &str, sum: &Value, minute: usize) -> Value {
    json!({
        "id": id, "type": kind, "status": "success", "sum_initial": sum,
        "date": format!("2019-07-02T09:{:02}:00+0000", 30 + minute), "request_id": id,
    })
}

/// Delivers a callback about an operation.
fn deliver(payment: &mut TestPayment, status: &str, sum: &Value, operation: &Value) {
    let mut body = reports::callback(PAYMENT, status, 0, operation.clone());
    body["payment"]["sum"] = sum.clone();
    body["payment"]["date"] = operation["date"].clone();
    payment.fact(TestReport::read(&body).callback(), NOW);
}

/// Delivers a signed answer. The date of the payment is the date of the last operation.
fn answer(payment: &mut TestPayment, status: &str, amount: u64, operations: &[Value]) {
    payment.execute(Command::PollNow, NOW);
    let mut body = reports::status_answer(PAYMENT, status, amount, operations);
    body["payment"]["date"] = operations.last().unwrap()["date"].clone();
    let poll = payment.polling().polls_sent();
    payment.fact(TestReport::read(&body).answer_to(poll), NOW);
}

/// Returns a payment for which a callback reports this sum instead of 10.00 EUR.
fn quarantined(sum: &Value) -> TestPayment {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted("1"));
    deliver(
        &mut payment,
        "success",
        sum,
        &operation("1", "sale", sum, 1),
    );
    assert_eq!(payment.status(), Status::Quarantined);
    payment
}

/// Returns a payment of 9.00 EUR whose rejection Gate accepted, and the operation that refunds it.
fn rejected() -> (TestPayment, Value) {
    let mut payment = quarantined(&euros(900));
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    let refund_id = payment.refunds()[0].refund_id().unwrap().clone();
    payment.refund_answer(refund_id.as_str(), &accepted("4"));
    (payment, operation("4", "refund", &euros(900), 4))
}

fn assert_reasons<const N: usize>(payment: &TestPayment, reasons: [QuarantineReason; N]) {
    assert_eq!(payment.quarantine_reasons(), reasons.into());
}

#[test]
fn the_end_of_a_rejection_is_emitted_even_if_the_money_was_refunded_by_hand_before() {
    for (sum, nothing) in [
        (euros(900), euros(0)),
        (
            json!({ "amount": 1000, "currency": "USD" }),
            json!({ "amount": 0, "currency": "USD" }),
        ),
    ] {
        for is_rejected_first in [false, true] {
            let mut payment = quarantined(&sum);
            let reasons = payment.quarantine_reasons();
            if is_rejected_first {
                assert_eq!(payment.review(Verdict::Rejected), Ok(true));
                assert_eq!(payment.status(), Status::Quarantined);
                for refund in payment.fork().refunds() {
                    payment.refund_answer(refund.refund_id().unwrap().as_str(), &refused("3283"));
                }
            }
            let by_hand = operation("4", "refund", &sum, 4);
            deliver(&mut payment, "refunded", &nothing, &by_hand);
            // The refund needs no review of its own.
            assert_eq!(payment.quarantine_reasons(), reasons);
            let is_quarantined = |kind: &&&str| **kind == "payment.quarantined";
            assert_eq!(payment.kinds().iter().filter(is_quarantined).count(), 1);
            if !is_rejected_first {
                assert_eq!(payment.status(), Status::Quarantined);
                assert_eq!(payment.review(Verdict::Rejected), Ok(true));
            }
            assert_eq!(payment.status(), Status::Refunded);
            let declined = payment.events.iter().rev();
            let mut declined = declined.filter(|one| one.kind.as_str() == "payment.declined");
            assert_eq!(data(declined.next().unwrap())["status"], "refunded");
            assert!(declined.next().is_none());
            assert_eq!(payment.last_data()["status"], "refunded");
            assert!(!payment.kinds().contains(&"payment.succeeded"));
            assert!(payment.paid_order().is_none());
        }
    }
}

#[test]
fn money_in_another_currency_that_was_refunded_by_hand_and_returned_is_quarantined_again() {
    let dollars = json!({ "amount": 1000, "currency": "USD" });
    let mut payment = quarantined(&dollars);
    payment.review(Verdict::Rejected).unwrap();
    let by_hand = operation("4", "refund", &dollars, 4);
    deliver(&mut payment, "refunded", &euros(0), &by_hand);
    let returned = operation("5", "refund reverse", &dollars, 5);
    deliver(&mut payment, "success", &dollars, &returned);
    for _ in 0..2 {
        assert_eq!(payment.status(), Status::Quarantined);
        payment.review(Verdict::Rejected).unwrap();
    }
    assert_eq!(payment.last_data()["status"], "quarantined");
}

#[test]
fn money_that_exceeds_the_rejected_and_refunded_amount_is_quarantined_and_can_be_refunded() {
    for sum in [100, 1000] {
        let (mut payment, refund) = rejected();
        deliver(&mut payment, "refunded", &euros(0), &refund);
        assert_eq!(payment.status(), Status::Refunded);
        let sale = operation("1", "sale", &euros(1000), 1);
        answer(&mut payment, "partially refunded", sum, &[sale, refund]);
        assert_eq!(payment.status(), Status::Quarantined, "{sum}");
        assert_eq!(payment.refund_sums(), (900, 0, 100), "{sum}");
        assert_eq!(payment.last_data()["status"], "quarantined");
        assert_eq!(payment.review(Verdict::Rejected), Ok(true));
        assert_eq!(payment.refund_sums(), (900, 100, 0), "{sum}");
    }
}

#[test]
fn a_rejection_holds_if_a_signed_answer_removes_its_reason() {
    let (mut payment, refund) = rejected();
    let sale = operation("1", "sale", &euros(1000), 1);
    answer(&mut payment, "success", 1000, std::slice::from_ref(&sale));
    assert_reasons(&payment, [QuarantineReason::Rejected]);
    let operations = [sale.clone(), refund.clone()];
    answer(&mut payment, "partially refunded", 100, &operations);
    assert_eq!(payment.refund_sums(), (900, 0, 100));
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.last_data()["status"], "quarantined");

    // The rest of the money can be rejected again.
    let mut rest = payment.fork();
    assert_eq!(rest.review(Verdict::Rejected), Ok(true));
    let refund_id = rest.refunds()[1].refund_id().unwrap().clone();
    rest.refund_answer(refund_id.as_str(), &accepted("6"));
    // The refund is newer than the signed answer.
    let second = operation("6", "refund", &euros(100), 6);
    deliver(&mut rest, "refunded", &euros(0), &second);
    assert_eq!(rest.status(), Status::Refunded);
    assert_eq!(
        rest.kinds(),
        ["refund.pending", "payment.declined", "refund.succeeded"]
    );

    let returned = operation("5", "refund reverse", &euros(900), 5);
    answer(&mut payment, "success", 1000, &[sale, refund, returned]);
    assert_eq!(payment.refunds()[0].status(), RefundStatus::Returned);
    assert_eq!(payment.status(), Status::Quarantined);
    assert_reasons(&payment, [QuarantineReason::Rejected]);
    assert!(!payment.kinds().contains(&"payment.succeeded"));
    let mut again = payment.fork();
    assert_eq!(again.review(Verdict::Rejected), Ok(true));
    assert_eq!(again.refund_sums(), (0, 1000, 0));
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.last_kind(), "payment.succeeded");
}

#[test]
fn a_rejection_of_a_success_withdraws_the_success_when_all_money_is_refunded() {
    let mut payment = TestPayment::paid();
    payment.deliver(&edited("sale_success", |body| {
        body["operation"]["id"] = json!(999);
        body["payment"]["sum"]["amount"] = json!(2000);
    }));
    payment.review(Verdict::Rejected).unwrap();
    let refund = &payment.refunds()[0];
    let (refund_id, amount) = (refund.refund_id().unwrap().to_string(), refund.amount());
    payment.refund_reported(&refund_id, "7", amount);
    assert_eq!(payment.status(), Status::Refunded);
    let declined = payment.events.iter().rev();
    let mut declined = declined.filter(|one| one.kind.as_str() == "payment.declined");
    assert_eq!(
        data(declined.next().unwrap())["corrects"],
        "payment.succeeded"
    );
}

/// A step of a run: a kind of fact or command, and two numbers that choose its variant.
type Step = (usize, usize, usize);

/// Applies a step. `minute` dates its report.
fn apply(payment: &mut TestPayment, (kind, one, other): Step, minute: usize) {
    let sums = [
        euros(1000),
        euros(900),
        json!({ "amount": 1000, "currency": "USD" }),
    ];
    let refunds = [euros(1000), euros(900), euros(100), sums[2].clone()];
    let (sum, refunded) = (&sums[one % 3], &refunds[other % 4]);
    let mut sale = operation("1", "sale", sum, 1);
    sale["request_id"] = "r".into();
    match kind {
        0 | 1 => deliver(payment, "success", sum, &sale),
        2 => {
            let own = payment
                .refunds()
                .iter()
                .filter_map(|refund| refund.refund_id());
            let own = own.cloned().next_back();
            let id = if one == 0 { "4" } else { "6" };
            let mut refund = operation(id, "refund", refunded, minute);
            let mut body = json!(null);
            if let (Some(refund_id), true) = (own, one > 0) {
                body = json!(refund_id.as_str());
            }
            if other == 3 {
                refund["status"] = "decline".into();
            }
            let mut report = reports::callback(PAYMENT, "partially refunded", 0, refund.clone());
            report["payment"].as_object_mut().unwrap().remove("sum");
            report["payment"]["date"] = refund["date"].clone();
            if !body.is_null() {
                report["payment"]["merchant_refund_id"] = body;
            }
            payment.fact(TestReport::read(&report).callback(), NOW);
        }
        3 => {
            let mut returned = operation("5", "refund reverse", refunded, minute);
            returned["status"] = "success".into();
            let mut report = reports::callback(PAYMENT, "success", 0, returned.clone());
            report["payment"].as_object_mut().unwrap().remove("sum");
            report["payment"]["date"] = returned["date"].clone();
            payment.fact(TestReport::read(&report).callback(), NOW);
        }
        4 => {
            let mut operations = vec![sale];
            let amount = if one == 1 { 900 } else { 1000 };
            operations[0]["sum_initial"] = euros(amount);
            let known = payment.operations();
            let known = known.filter(|(_, operation)| operation.kind().is_about_refund());
            for (id, operation) in known {
                let kind = operation.kind().as_str();
                let status = operation.platform_status();
                operations.push(json!({
                    "id": id, "type": kind, "status": status, "sum_initial": operation.sum(),
                    "date": format!("2019-07-02T09:{:02}:00+0000", 30 + minute), "request_id": id,
                }));
            }
            let has_refunds = operations.len() > 1;
            let refunded = payment.refunded_amount();
            let status = if has_refunds {
                "partially refunded"
            } else {
                "success"
            };
            answer(
                payment,
                status,
                amount.saturating_sub(refunded),
                &operations,
            );
        }
        5 => {
            let open = payment
                .refunds()
                .iter()
                .filter(|one| one.status().is_reserved());
            let open = open
                .filter_map(|refund| refund.refund_id())
                .cloned()
                .next_back();
            if let Some(refund_id) = open {
                let gate = [accepted("q"), refused("3283"), Answer::Unclear];
                payment.refund_answer(refund_id.as_str(), &gate[one % 3]);
            }
        }
        6 => {
            let name = format!("r-{}", payment.refunds().len());
            let order = refund_order(&name, [None, Some(100), Some(400)][one % 3]);
            let change = execute(Some(payment), Command::Refund(&order), NOW);
            payment.apply(change.unwrap_or_default());
        }
        7 => {
            // The service refuses a release while a rejection refunds the money.
            let is_refunded = payment.refunds_of_rejections().any(|refund| {
                refund.status().is_reserved() || refund.status() == RefundStatus::Succeeded
            });
            if !is_refunded {
                payment.review(Verdict::Released).unwrap_or_default();
            }
        }
        8 => {
            deliver(payment, "decline", &sums[0], &{
                let mut declined = operation("6c", "payment confirmation", &sums[0], minute);
                declined["status"] = ["decline", "success", "processing"][one % 3].into();
                declined
            });
        }
        9 => {
            let second = operation("9", "sale", &sums[0], minute);
            deliver(payment, "success", &sums[0], &second);
        }
        _ => {
            payment.review(Verdict::Rejected).unwrap_or_default();
        }
    }
}

fn is_rejection_last(payment: &Payment) -> bool {
    let last = payment.decisions().last();
    last.is_some_and(|decision| decision.verdict == Verdict::Rejected)
}

/// Checks a payment after a step that emitted the events from the index `first`.
fn check(payment: &TestPayment, first: usize, path: &[Step]) {
    let status = payment.status();
    if is_rejection_last(payment) {
        let is_paid = matches!(status, Status::Succeeded | Status::PartiallyRefunded);
        assert!(!is_paid, "{path:?}: {status:?}");
        let is_emitted = payment.kinds()[first..].contains(&"payment.succeeded");
        assert!(!is_emitted, "{path:?}: rejected money is emitted as paid");
        let left = payment
            .paid_amount()
            .saturating_sub(payment.refunded_amount());
        if payment.has_money() && left > 0 {
            assert_eq!(status, Status::Quarantined, "{path:?}");
            let mut again = payment.fork();
            let is_refundable = payment.refundable_amount() > 0;
            assert_eq!(again.review(Verdict::Rejected), Ok(true), "{path:?}");
            let has_refund = again.refunds().len() > payment.refunds().len();
            assert_eq!(has_refund, is_refundable, "{path:?}");
        }
    }
    // Without a rejection, the event about a refund can wait until the platform says whether the refund is ours.
    if is_rejection_last(payment) && status.is_final() {
        let (last, view) = (payment.last_data(), payment.view());
        for field in ["status", "paid_amount"] {
            assert_eq!(last[field], view[field], "{path:?}: {field}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if is_long() { 100_000 } else { 500 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn rejected_money_never_counts_as_paid_and_stays_in_quarantine_until_it_is_refunded(
        steps in prop::collection::vec((0_usize..12, 0_usize..3, 0_usize..4), 1..14),
    ) {
        let mut payment = TestPayment::created();
        payment.sale_answer(&accepted("r"));
        for (index, step) in steps.iter().enumerate() {
            let first = payment.events.len();
            apply(&mut payment, *step, index + 2);
            check(&payment, first, &steps[..=index]);
        }
    }
}

/// The first rejection is about another system's payment, and the second is about a late sale of ours.
#[test]
fn the_second_of_two_rejections_holds_if_a_signed_answer_removes_its_reason() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted("ours"));
    payment.deliver(&edited("error_validation", |body| {
        body["operation"]["request_id"] = "ours".into();
        body["operation"]["id"] = "5".into();
    }));
    let mut foreign = operation("7", "sale", &euros(1000), 1);
    deliver(&mut payment, "success", &euros(1000), &foreign);
    assert!(payment.is_foreign());
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    let mut ours = operation("8", "sale", &euros(900), 2);
    ours["request_id"] = "ours".into();
    deliver(&mut payment, "success", &euros(900), &ours);
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    assert_eq!(payment.refunds().len(), 1);
    foreign["status"] = "decline".into();
    ours["sum_initial"] = euros(1000);
    answer(&mut payment, "success", 1000, &[foreign, ours]);
    assert_eq!(payment.status(), Status::Quarantined);
    assert!(!payment.kinds().contains(&"payment.succeeded"));
}
