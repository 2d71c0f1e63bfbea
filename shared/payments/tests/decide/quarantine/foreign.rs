//! Tests a checkout whose `payment_id` another system of the project uses. Gate refuses the first sale with the code
//! 3041, or a report shows that the other system made the payment.

use ecommpay::answer::Answer;
use payments::decide::{Command, Rejection, execute};
use payments::model::{Order, PlatformRecord, QuarantineReason, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use super::foreign_evidence::dated;
use crate::discrepancies::{compared, listed};
use crate::fixtures::*;

/// Returns a payment whose first sale Gate refuses as a duplicate.
pub fn claimed() -> TestPayment {
    let mut payment = TestPayment::created();
    payment.sale_answer(&refused("3041"));
    assert_eq!(payment.status(), Status::Processing);
    payment
}

/// Returns a report about the other system's sale.
pub fn sale(amount: u64) -> Verified {
    edited("sale_success", |body| {
        body["payment"]["sum"]["amount"] = amount.into();
        for sum in ["sum_initial", "sum_converted"] {
            body["operation"][sum]["amount"] = amount.into();
        }
    })
}

pub fn check_hidden(payment: &mut TestPayment, amount: u64) {
    assert_eq!(payment.status(), Status::Quarantined, "{amount}");
    let reasons = payment.quarantine_reasons();
    assert!(reasons.contains(&QuarantineReason::ForeignPayment));
    assert!(!payment.kinds().contains(&"payment.succeeded"), "{amount}");
    let view = payment.view();
    for name in ["paid_amount", "refunded_amount", "refundable_amount"] {
        assert_eq!(view[name], 0, "{name}");
    }
    for name in ["operations", "refunds"] {
        assert_eq!(view[name], json!([]), "{name}");
    }
    for item in view["quarantine"].as_array().unwrap() {
        assert_eq!(item["reported"], json!([]));
    }
    let refund = payment.reserve("r-1", None);
    assert_eq!(refund, Err(Rejection::NotRefundable));
    let refund = payment.reserve("r-1", Some(1));
    assert_eq!(refund, Err(Rejection::NotRefundable));
}

#[test]
fn the_money_of_another_systems_payment_is_quarantined_hidden_and_not_refundable() {
    for amount in [1000, 400, 5000] {
        for is_answer in [false, true] {
            let mut payment = claimed();
            match is_answer {
                true => payment.status_answer(&sale(amount)),
                false => payment.deliver(&sale(amount)),
            };
            check_hidden(&mut payment, amount);
        }
    }
}

#[test]
fn a_foreign_payment_stays_foreign_in_any_order() {
    type Step = fn(&mut TestPayment);
    let repeat: Step = |payment| {
        payment.resend(&refused("3041"));
    };
    let unclear: Step = |payment| {
        payment.resend(&Answer::Unclear);
    };
    let money: Step = |payment| {
        payment.deliver(&sale(1000));
    };
    let poll: Step = |payment| {
        payment.status_answer(&sale(1000));
    };
    for steps in permutations(&[repeat, unclear, money, poll]) {
        let mut payment = claimed();
        for step in steps {
            step(&mut payment);
        }
        check_hidden(&mut payment, 1000);
    }
    // The report arrives before Gate's answer to the first sale request.
    let mut payment = TestPayment::created();
    payment.deliver(&sale(1000));
    payment.sale_answer(&refused("3041"));
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.refundable_amount(), 0);
}

#[test]
fn only_a_release_makes_foreign_money_count_and_a_rejection_sends_nothing() {
    let mut payment = claimed();
    payment.status_answer(&sale(1000));
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    assert_eq!(payment.refunds().len(), 0);
    // The storefront learns that the order is unpaid.
    assert_eq!(payment.status(), Status::Failed);
    assert_eq!(payment.last_kind(), "payment.failed");
    assert_eq!(payment.view()["paid_amount"], 0);
    assert_eq!(payment.reserve("r-1", None), Err(Rejection::NotRefundable));
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    assert_eq!(payment.last_data()["late"], true);
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.view()["paid_amount"], 1000);
    assert_eq!(payment.refundable_amount(), 1000);
}

#[test]
fn a_sale_whose_repeat_is_refused_as_a_duplicate_counts_as_paid_when_it_succeeds() {
    let mut payment = TestPayment::created_with(&Order { ..order() });
    payment.sale_answer(&Answer::Unclear);
    payment.resend(&refused("3041"));
    payment.deliver(&sale(1000));
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn the_sale_of_a_failed_attempt_is_no_foreign_payment_of_the_next_attempt() {
    let no_id = Answer::Accepted { request_id: None };
    for first in [accepted(REQUEST), no_id, Answer::Unclear] {
        let mut payment = TestPayment::created();
        payment.sale_answer(&first);
        payment.poll_by(NOW.after(MINUTE), &error_answer("10105"));
        assert_eq!(payment.status(), Status::Failed, "{first:?}");
        payment.execute(Command::Retry { order: &order() }, NOW);
        payment.sale_answer(&refused("3041"));
        payment.deliver(&sale(1000));
        assert_eq!(payment.status(), Status::Succeeded, "{first:?}");
    }
}

fn check_no_further_attempt(payment: &TestPayment) {
    assert_eq!(payment.status(), Status::Failed);
    let order = order();
    let retry = execute(Some(payment), Command::Retry { order: &order }, NOW);
    assert_eq!(retry.err(), Some(Rejection::OtherSystem));
}

/// Gate could accept the sale of another attempt, and the other system's money would then count as ours.
#[test]
fn a_payment_of_another_system_has_no_further_attempt() {
    let mut refused_by_answer = claimed();
    refused_by_answer.poll_by(NOW.after(MINUTE), &error_answer("10105"));
    let mut pending = answered(&[refused("2004")]);
    pending.deliver(&edited("processing", |_| {}));
    assert!(pending.is_foreign());
    let mut refused_by_callback = answered(&[accepted("ours")]);
    refused_by_callback.deliver(&error("3041", Some("ours"), None));
    let mut rejected = Vec::new();
    for mut payment in [claimed(), refused_by_callback] {
        payment.deliver(&sale(1000));
        check_hidden(&mut payment, 1000);
        assert_eq!(payment.review(Verdict::Rejected), Ok(true));
        rejected.push(payment);
    }
    for mut payment in [refused_by_answer, pending].into_iter().chain(rejected) {
        check_no_further_attempt(&payment);
        payment.deliver(&sale(1000));
        assert_eq!(payment.view()["paid_amount"], 0);
    }
}

#[test]
fn a_sale_that_gate_accepts_later_is_no_foreign_payment() {
    let mut payment = claimed();
    payment.resend(&accepted(REQUEST)).deliver(&sale(1000));
    assert_eq!(payment.status(), Status::Succeeded);
}

/// Returns a payment after these answers of Gate. The last answer is about the current attempt.
pub fn answered(answers: &[Answer]) -> TestPayment {
    let mut payment = TestPayment::created();
    for (index, answer) in answers.iter().enumerate() {
        match payment.status() {
            _ if index == 0 => payment.sale_answer(answer),
            Status::Failed => payment
                .execute(Command::Retry { order: &order() }, NOW)
                .sale_answer(answer),
            _ => payment.resend(answer),
        };
    }
    payment
}

/// Gate could accept the repeat, and the other system's sale would then count as ours.
#[test]
fn a_sale_is_not_repeated_while_another_system_has_a_sale() {
    let mut payment = answered(&[refused("2147")]);
    payment.deliver(&edited("redirect_get", |_| {}));
    assert_eq!(payment.redirect(), None);
    let at = NOW.after(MINUTE);
    assert!(change_of(Some(&payment), Command::Resend, at).is_none());
    payment.deliver(&sale(1000));
    check_hidden(&mut payment, 1000);
}

/// Returns a callback with which the platform refuses an accepted sale. If `request_id` is `None`, the callback names
/// no request.
pub fn error(code: &str, request_id: Option<&str>, operation_id: Option<&str>) -> Verified {
    edited("error_validation", |body| {
        body["errors"][0]["code"] = code.into();
        body["operation"]["request_id"] = request_id.into();
        body["operation"]["id"] = operation_id.into();
    })
}

#[test]
fn the_storefront_does_not_see_why_a_foreign_payment_was_declined() {
    let old = "2018-10-01T00:00:00+0000";
    let decline = edited("sale_decline_customer", |body| {
        body["operation"]["created_date"] = old.into();
    });
    let old_redirect = edited("redirect_get", |body| {
        body["operation"]["created_date"] = old.into();
    });
    let mut link = TestPayment::with_link();
    link.deliver(&old_redirect);
    assert_eq!(link.redirect(), None);
    for mut payment in [claimed(), link, answered(&[refused("2004")])] {
        payment.deliver(&decline);
        let last = payment.last_data();
        for shown in [payment.view(), last.clone()] {
            assert_eq!(shown["decline"], Value::Null);
            assert_eq!(shown["platform_status"], Value::Null);
            assert_eq!(shown["operations"], json!([]));
        }
        assert_eq!(last["operation"], Value::Null);
    }
    // The storefront sees Gate's refusal, because the refusal is about our own sale.
    let mut payment = answered(&[refused("2004")]);
    payment.deliver(&edited("processing", |_| {}));
    assert_eq!(payment.view()["decline"]["code"], "2004");
}

#[test]
fn a_difference_about_a_foreign_payment_shows_no_values() {
    let old = json!("2018-10-01T00:00:00+0000");
    let mut payment = TestPayment::with_link();
    payment.deliver(&dated(old.clone(), old, json!("another")));
    let mut record = listed();
    record.sum_initial.as_mut().unwrap().amount = 900;
    payment.apply(compared(Some(&payment), PlatformRecord::Listed(&record)));
    assert_eq!(payment.last_kind(), "reconciliation.difference");
    let shown = payment.last_data();
    assert_eq!(shown["operation"], Value::Null);
    let difference = json!({ "kind": "amount", "local": null, "platform": null });
    assert_eq!(shown["difference"], difference);
}

/// Returns a signed answer with one sale of the other system, and with further operations.
fn answer(payment_status: &str, sale_status: &str, others: &[Value]) -> Verified {
    edited("sale_success", |body| {
        let mut sale = body.as_object_mut().unwrap().remove("operation").unwrap();
        sale["status"] = sale_status.into();
        body["payment"]["status"] = payment_status.into();
        body["operations"] = json!([&[sale], others].concat());
    })
}

#[test]
fn refunded_money_that_was_released_and_is_not_confirmed_later_causes_an_overrefunded_event() {
    let refund = json!({
        "id": "9001", "type": "refund", "status": "success", "request_id": "q-r-1",
        "date": "2019-07-03T09:28:29+0000", "sum_initial": {"amount": 1000, "currency": "EUR"},
    });
    let confirmation = json!({
        "id": "3", "type": "payment confirmation", "status": "decline",
        "date": "2019-07-05T09:28:29+0000",
    });
    for end in [
        answer("decline", "success", &[confirmation, refund.clone()]),
        answer("decline", "decline", &[refund]),
    ] {
        let mut payment = claimed();
        payment.deliver(&sale(1000));
        assert_eq!(payment.review(Verdict::Released), Ok(true));
        payment.refund_succeeds("r-1", "9001", 1000);
        payment.poll_by(NOW.after(HOUR), &end);
        assert_eq!(payment.status(), Status::Declined);
        assert_eq!(payment.last_kind(), "payment.overrefunded");
        let data = payment.last_data();
        assert_eq!(
            (&data["paid_amount"], &data["refunded_amount"]),
            (&json!(0), &json!(1000))
        );
    }
}

#[test]
fn a_storefront_learns_the_result_of_its_refund_after_a_second_sale_of_the_other_system() {
    let mut payment = claimed();
    payment.status_answer(&sale(1000));
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    payment.reserve("r-1", Some(400)).unwrap();
    payment.refund_answer("r-1", &accepted("q-r-1"));
    assert_eq!(payment.last_kind(), "refund.pending");
    payment.deliver(&edited("sale_success", |body| {
        body["operation"]["id"] = "2".into();
    }));
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.view()["paid_amount"], 0);
    payment.refund_reported("r-1", "9001", 400);
    assert_eq!(payment.last_kind(), "refund.succeeded");
    assert_eq!(payment.last_data()["refund"]["amount"], 400);
    // While the payment counts as foreign, no event is emitted about a refund that the storefront did not request.
    payment.deliver(&refund_operation(
        "9002",
        "success",
        json!({ "sum_initial": reports::euros(100) }),
    ));
    assert_eq!(payment.last_kind(), "refund.succeeded");
    assert_eq!(payment.last_data()["refund"]["refund_id"], "r-1");
}
