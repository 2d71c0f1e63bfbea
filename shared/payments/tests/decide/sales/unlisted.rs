//! Tests that a signed answer contradicts a sale, refund or return that it does not list, if the answer is newer than
//! the report of the operation.

use std::time::Duration;

use payments::Timestamp;
use payments::model::{Evidence, QuarantineReason, Status, Verdict};
use serde_json::{Value, json};

use crate::builders::reports::{self, TestReport, euros};
use crate::fixtures::*;

/// Returns the date that is this many seconds after [`NOW`], in the platform's format.
fn date(second: u64) -> String {
    NOW.after(Duration::from_secs(second)).to_platform()
}

fn operation(id: &str, kind: &str, status: &str, second: u64) -> Value {
    json!({
        "id": id, "type": kind, "status": status, "date": date(second), "sum_initial": euros(1000),
        "request_id": format!("q-{id}"),
    })
}

/// Returns a callback that says that the sale succeeded in this second.
fn success(second: u64) -> TestReport {
    let sale = operation("1", "sale", "success", second);
    let mut body = reports::callback(PAYMENT, "success", 1000, sale);
    body["payment"]["date"] = json!(date(second));
    TestReport::read(&body)
}

fn answer(status: &str, second: u64, operations: &[Value]) -> TestReport {
    let mut body = reports::status_answer(PAYMENT, status, 1000, operations);
    body["payment"]["date"] = json!(date(second));
    TestReport::read(&body)
}

/// A report that arrives as a callback, or as a signed answer at the given time.
#[derive(Clone, Copy)]
enum Arrival<'a> {
    Callback(&'a TestReport),
    Answer(&'a TestReport, Timestamp),
}

use Arrival::{Answer, Callback};

fn apply(payment: &mut TestPayment, arrival: Arrival<'_>) {
    match arrival {
        Callback(report) => payment.fact(report.callback(), NOW),
        Answer(report, at) => {
            payment.claim_or_poll_now(at);
            let poll = payment.polling().polls_sent();
            payment.fact(report.answer_to(poll), at)
        }
    };
}

/// Applies the reports in every order, checks that the outcome is always the same, and returns the payment.
fn after(arrivals: &[Arrival<'_>]) -> TestPayment {
    let mut ends = permutations(arrivals).into_iter().map(|order| {
        let mut payment = TestPayment::accepted();
        for arrival in order {
            apply(&mut payment, arrival);
        }
        let data = payment.last_data();
        assert_eq!(data["status"], json!(payment.status()));
        assert_eq!(data["paid_amount"], json!(payment.paid_amount()));
        payment
    });
    let first = ends.next().unwrap();
    for end in ends {
        assert_eq!(end.outcome(), first.outcome());
    }
    first
}

/// A signed answer lists all operations of the payment, whatever the status of the payment is.
#[test]
fn a_newer_signed_answer_without_the_reported_sale_quarantines_the_payment() {
    let other = |kind, status| operation("2", kind, status, 9);
    for (status, listed) in [
        ("decline", other("sale", "decline")),
        ("error", other("sale", "error")),
        ("processing", other("sale", "awaiting redirect result")),
        ("success", other("customer action", "success")),
        ("partially refunded", other("refund", "success")),
    ] {
        let mut payment = after(&[
            Callback(&success(0)),
            Answer(&answer(status, 9, &[listed]), NOW),
        ]);
        assert_eq!(payment.status(), Status::Quarantined, "{status}");
        let reasons = payment.quarantine_reasons();
        assert_eq!(reasons, [QuarantineReason::Contradiction].into());
        assert_eq!(payment.paid_amount(), 1000);
        let sale = payment.operation("1").unwrap();
        assert_eq!(payment.evidence_of(sale), Evidence::Contradictory);
        payment.review(Verdict::Released).unwrap();
        assert!(payment.status().is_paid(), "{status}");
    }
}

/// Another system that knows the key of the project can sign a callback about a refund or a return.
#[test]
fn a_newer_signed_answer_without_the_reported_refund_or_return_quarantines_the_payment() {
    let sale = operation("1", "sale", "success", 0);
    let listed = answer("success", 9, &[sale]);
    for (kind, status) in [
        ("refund", "success"),
        ("refund", "processing"),
        ("reversal", "success"),
        ("refund reverse", "success"),
    ] {
        let external = operation("6", kind, status, 5);
        let mut body = reports::callback(PAYMENT, "success", 1000, external);
        body["payment"]["date"] = json!(date(5));
        let external = TestReport::read(&body);
        let arrivals = [
            Callback(&success(0)),
            Callback(&external),
            Answer(&listed, NOW),
        ];
        let mut payment = after(&arrivals);
        assert_eq!(payment.status(), Status::Quarantined, "{kind} {status}");
        let reasons = payment.quarantine_reasons();
        assert_eq!(reasons, [QuarantineReason::Contradiction].into());
        let refund = operation("6", kind, status, 5);
        let all = answer(
            "partially refunded",
            10,
            &[operation("1", "sale", "success", 0), refund],
        );
        apply(&mut payment, Answer(&all, NOW));
        assert!(
            !payment
                .quarantine_reasons()
                .contains(&QuarantineReason::Contradiction)
        );
    }
}

#[test]
fn a_callback_about_a_refund_that_a_newer_answer_does_not_list_is_polled() {
    let sale = operation("1", "sale", "success", 0);
    let mut payment = TestPayment::accepted();
    apply(&mut payment, Callback(&success(0)));
    apply(&mut payment, Answer(&answer("success", 9, &[sale]), NOW));
    assert!(!payment.needs_recheck());
    let refund = operation("6", "refund", "success", 5);
    let mut body = reports::callback(PAYMENT, "refunded", 0, refund);
    body["payment"]["date"] = json!(date(5));
    apply(&mut payment, Callback(&TestReport::read(&body)));
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(poll_at(&payment), Some(NOW));
}

#[test]
fn a_declined_refund_that_a_newer_answer_does_not_list_changes_nothing() {
    let sale = operation("1", "sale", "success", 0);
    let refund = operation("6", "refund", "decline", 5);
    let mut body = reports::callback(PAYMENT, "success", 1000, refund);
    body["payment"]["date"] = json!(date(5));
    let payment = after(&[
        Callback(&success(0)),
        Callback(&TestReport::read(&body)),
        Answer(&answer("success", 9, &[sale]), NOW),
    ]);
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn a_callback_about_a_sale_that_a_newer_answer_does_not_list_is_polled_and_the_answer_decides() {
    let without = answer("decline", 9, &[operation("2", "sale", "decline", 9)]);
    let mut payment = TestPayment::accepted();
    apply(&mut payment, Answer(&without, NOW));
    apply(&mut payment, Callback(&success(0)));
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(poll_at(&payment), Some(NOW));
    assert!(!payment.kinds().contains(&"payment.succeeded"));

    let mut same = payment.fork();
    apply(&mut same, Answer(&without, NOW));
    assert_eq!(same.status(), Status::Quarantined);
    assert!(!same.needs_recheck());

    let listed = [
        operation("2", "sale", "decline", 9),
        operation("1", "sale", "success", 0),
    ];
    apply(&mut payment, Answer(&answer("success", 9, &listed), NOW));
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.last_kind(), "payment.succeeded");
    assert!(!payment.needs_recheck());
}

#[test]
fn an_answer_that_is_older_than_the_callback_says_nothing() {
    let pending = operation("2", "sale", "decline", 4);
    let older = answer("awaiting customer", 4, &[pending]);
    for at in [NOW, NOW.after(10 * MINUTE)] {
        let payment = after(&[Callback(&success(5)), Answer(&older, at)]);
        assert_eq!(payment.status(), Status::Succeeded);
        assert!(!payment.needs_recheck());
    }
    // An answer of the same second can be older than the sale.
    let payment = after(&[Callback(&success(4)), Answer(&older, NOW)]);
    assert_eq!(payment.status(), Status::Succeeded);
}

/// The dates in an answer say when the payment last changed, not when the answer was made.
#[test]
fn an_answer_that_arrives_more_than_15_minutes_after_the_reported_sale_is_newer() {
    let older = answer("decline", 4, &[operation("2", "sale", "decline", 4)]);
    let received = NOW.after(15 * MINUTE + Duration::from_secs(6));
    let payment = after(&[Callback(&success(5)), Answer(&older, received)]);
    assert_eq!(payment.status(), Status::Quarantined);
    // An earlier answer with the same content changes nothing.
    let twice = [
        Callback(&success(5)),
        Answer(&older, received),
        Answer(&older, NOW),
    ];
    assert_eq!(after(&twice).status(), Status::Quarantined);
}

#[test]
fn the_newest_answer_decides_whether_a_sale_is_listed() {
    for (with, without, status) in [(9, 5, Status::Succeeded), (5, 9, Status::Quarantined)] {
        let other = |second| operation("2", "sale", "decline", second);
        let sale = operation("1", "sale", "success", 0);
        let with = answer("success", with, &[other(with), sale]);
        let without = answer("success", without, &[other(without)]);
        let answers = [Answer(&with, NOW), Answer(&without, NOW)];
        assert_eq!(after(&answers).status(), status);
        let [first, second] = answers;
        let payment = after(&[Callback(&success(0)), first, second]);
        assert_eq!(payment.status(), status);
    }
}

#[test]
fn an_answer_that_may_not_list_every_operation_says_nothing() {
    let decline = || operation("2", "sale", "decline", 9);
    let mut unnamed = decline();
    unnamed.as_object_mut().unwrap().remove("id");
    let mut unreadable = decline();
    unreadable.as_object_mut().unwrap().remove("status");
    let single = {
        let mut body = reports::callback(PAYMENT, "decline", 1000, decline());
        body["payment"]["date"] = json!(date(9));
        TestReport::read(&body)
    };
    for answer in [
        single,
        answer("decline", 9, &[decline(), unnamed]),
        answer("decline", 9, &[decline(), unreadable]),
    ] {
        let payment = after(&[Callback(&success(0)), Answer(&answer, NOW)]);
        assert_eq!(payment.status(), Status::Succeeded);
    }
}
