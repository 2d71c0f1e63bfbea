//! Tests a payment from its creation to its end.

use std::collections::BTreeSet;

use ecommpay::fields::MinorUnits;
use payments::decide::{Command, Rejection, execute};
use payments::model::{Order, Status};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use crate::builders::reports::{TestReport, callback, operation};
use crate::fixtures::*;

#[test]
fn each_status_of_a_payment_is_emitted_once() {
    let mut payment = TestPayment::created();
    assert_eq!(payment.status(), Status::Created);
    payment.sale_answer(&accepted("r"));
    assert_eq!(payment.status(), Status::Processing);
    payment.callback("redirect_get");
    assert_eq!(payment.status(), Status::AwaitingCustomer);
    let url = &payment.redirect().unwrap().url;
    assert!(url.starts_with("https://bancontact.girogate.be/"), "{url}");
    payment
        .callback("sale_success")
        .callback("sale_success")
        .callback("sale_success_reordered");
    assert_eq!(payment.status(), Status::Succeeded);
    let kinds = [
        "payment.created",
        "payment.awaiting_customer",
        "payment.succeeded",
    ];
    assert_eq!(payment.kinds(), kinds);
    let sequences = payment.events.iter().map(|event| event.sequence);
    assert_eq!(Vec::from_iter(sequences), [1, 2, 3]);
    assert_eq!(payment.events[2].id, format!("211/{PAYMENT}/3"));
}

#[test]
fn a_shopper_can_try_again_after_a_decline_that_does_not_end_the_payment() {
    let mut payment = TestPayment::with_callbacks(&["awaiting_customer"]);
    assert_eq!(payment.status(), Status::Processing);
    payment.callback("redirect_second_url");
    assert_eq!(payment.status(), Status::AwaitingCustomer);
    payment.callback("success_after_decline");
    let kinds = ["payment.awaiting_customer", "payment.succeeded"];
    assert_eq!(payment.kinds()[1..], kinds);
    assert!(payment.last_data()["late"].is_null());
}

#[test]
fn a_success_after_a_decline_counts_and_is_emitted_as_late() {
    let payment = TestPayment::with_callbacks(&["sale_decline_customer", "success_after_decline"]);
    let kinds = ["payment.declined", "payment.succeeded"];
    assert_eq!(payment.kinds()[1..], kinds);
    assert_eq!(payment.last_data()["late"], true);
}

#[test]
fn a_success_after_a_failure_counts_and_is_emitted_as_late() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted(REQUEST));
    payment.callback("error_validation");
    assert_eq!(payment.status(), Status::Failed);
    payment.callback("sale_success");
    assert_eq!(payment.status(), Status::Succeeded);
    let kinds = ["payment.failed", "payment.succeeded"];
    assert_eq!(payment.kinds()[1..], kinds);
    assert_eq!(payment.last_data()["late"], true);
}

#[test]
fn a_decline_after_a_success_changes_no_status_and_causes_a_recheck() {
    let payment = TestPayment::with_callbacks(&["sale_success", "sale_decline_customer"]);
    assert_eq!(payment.status(), Status::Succeeded);
    assert!(payment.needs_recheck());
}

#[test]
fn a_success_without_a_sale_causes_a_recheck_and_does_not_count_as_paid() {
    let mut payment = TestPayment::with_callbacks(&["payment_confirmation"]);
    assert_eq!(payment.status(), Status::Processing);
    assert!(payment.needs_recheck() && poll_at(&payment).is_some());
    payment.poll("payment_confirmation");
    assert_eq!(payment.status(), Status::Processing);
    assert_eq!(payment.paid_amount(), 0);
}

#[test]
fn a_sale_of_an_earlier_attempt_without_a_redirect_url_says_nothing_about_the_current_attempt() {
    let mut sale = operation("7", "sale", "awaiting redirect result", 1000);
    sale["request_id"] = json!(REQUEST);
    let body = callback(PAYMENT, "awaiting redirect result", 1000, sale);
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted(REQUEST));
    payment.fact(TestReport::read(&body).callback(), NOW);
    assert!(payment.is_redirect_missing());
    payment.callback("error_validation");
    assert_eq!(payment.status(), Status::Failed);
    let order = payment.order().unwrap().clone();
    payment.execute(Command::Retry { order: &order }, NOW);
    assert_eq!(payment.status(), Status::Processing);
    assert!(!payment.is_redirect_missing());
}

#[test]
fn an_attempt_has_no_report_until_a_report_is_about_this_attempt() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted(REQUEST));
    assert!(payment.has_no_report_of_attempt());
    // The operation of this callback has no id.
    payment.callback("error_validation");
    assert_eq!(payment.status(), Status::Failed);
    assert!(!payment.has_no_report_of_attempt());
    let order = payment.order().unwrap().clone();
    payment.execute(Command::Retry { order: &order }, NOW);
    payment.sale_answer(&accepted("r-2"));
    assert!(payment.has_no_report_of_attempt());
}

#[test]
fn a_retry_of_a_failed_payment_ignores_reports_about_the_earlier_request() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted(REQUEST));
    payment
        .callback("redirect_get")
        .callback("error_validation");
    assert_eq!(payment.status(), Status::Failed);
    let order = payment.order().unwrap().clone();
    let retry = Command::Retry { order: &order };
    payment.execute(retry, NOW);
    assert_eq!(
        change_of(Some(&payment), retry, NOW),
        None,
        "only a failed payment can be retried"
    );
    assert_eq!(payment.last_kind(), "payment.created");
    let pending = change_of(Some(&payment), Command::EmitPending, NOW);
    assert_eq!(pending, None);
    assert_eq!(payment.status(), Status::Processing);
    assert_eq!(payment.redirect(), None);
    payment
        .callback("redirect_get")
        .callback("error_validation")
        .callback("sale_decline_customer");
    assert_eq!(payment.status(), Status::Processing);
}

#[test]
fn a_payment_has_at_most_100_attempts() {
    let mut payment = TestPayment::created();
    let order = order();
    let retry = Command::Retry { order: &order };
    for number in 1..100 {
        payment.sale_answer(&refused("2004")).execute(retry, NOW);
        assert_eq!(payment.attempt().number(), number);
    }
    payment.sale_answer(&refused("2004"));
    assert_eq!(payment.status(), Status::Failed);
    let refused = execute(Some(&payment), retry, NOW);
    assert_eq!(refused.err(), Some(Rejection::TooManyAttempts));
    let other = Order {
        amount: MinorUnits::for_sale(2000).unwrap(),
        ..order.clone()
    };
    let retry = Command::Retry { order: &other };
    assert_eq!(execute(Some(&payment), retry, NOW), Ok(None));
}

#[test]
fn reports_about_an_attempt_that_a_signed_answer_ended_do_not_change_the_next_attempt() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted(REQUEST));
    payment.poll_by(NOW, &error_answer("10105"));
    assert_eq!(payment.status(), Status::Failed);
    payment.execute(Command::Retry { order: &order() }, NOW);
    payment.sale_answer(&accepted("second"));
    payment.callback("redirect_get");
    assert_eq!(payment.redirect(), None);
    payment.callback("sale_decline_customer");
    assert_eq!(payment.status(), Status::Processing);
    payment.callback("sale_success");
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn a_success_after_a_failed_attempt_is_late_although_the_next_attempt_has_started() {
    for of_failed in [true, false] {
        let mut payment = TestPayment::created();
        payment.sale_answer(&accepted(REQUEST));
        payment.callback("error_validation");
        assert_eq!(payment.last_kind(), "payment.failed");
        payment.execute(Command::Retry { order: &order() }, NOW);
        assert_eq!(payment.last_kind(), "payment.created");
        payment.sale_answer(&accepted(if of_failed { "second" } else { REQUEST }));
        payment.callback("sale_success");
        assert_eq!(payment.last_kind(), "payment.succeeded");
        assert_eq!(payment.last_data()["late"], true);
    }
}

#[test]
fn the_platform_status_is_the_latest_stage_of_the_reports_in_the_same_second() {
    let stages = [
        ("processing", "processing"),
        ("sale_decline_risk", "decline"),
        ("sale_success", "success"),
        ("refund_partial_1", "partially refunded"),
        ("refund_partial_2_rest", "refunded"),
    ];
    let reports = stages.map(|(file, status)| {
        edited(file, |body| {
            body["payment"]["status"] = status.into();
            body["operation"]["date"] = "2019-07-02T09:28:29+0000".into();
        })
    });
    for order in permutations(&[0, 1, 2, 3, 4]) {
        let mut payment = TestPayment::created();
        let mut latest = 0;
        for stage in order {
            payment.deliver(&reports[stage]);
            latest = latest.max(stage);
            assert_eq!(payment.platform_status(), Some(stages[latest].1));
        }
    }
}

/// Returns a pending report. `operation` and `payment` are the seconds of `operation.date` and `payment.date`.
fn dated(file: &str, operation: u32, payment: u32, edit: impl FnOnce(&mut Value)) -> Verified {
    edited(file, |body| {
        let date = |second| json!(format!("2019-07-02T09:28:{second}+0000"));
        body["operation"]["date"] = date(operation);
        body["payment"]["date"] = date(payment);
        edit(body);
    })
}

#[test]
fn the_newest_pending_report_supplies_the_redirect_url_and_the_clarification_fields() {
    // `operation.date` decides first. If the operation dates are equal, `payment.date` decides.
    for (older, newer) in [([30, 40], [31, 39]), ([30, 40], [30, 41])] {
        let redirect = |[operation, payment]: [u32; 2], url: &str| {
            dated("redirect_get", operation, payment, |body| {
                body["redirect_data"]["url"] = url.into();
            })
        };
        let requested = |[operation, payment]: [u32; 2], field: &str| {
            dated("clarification_last_name", operation, payment, |body| {
                body["clarification_fields"]["customer"] = json!([field]);
            })
        };
        let old_url = redirect(older, "https://bank.example/z");
        let new_url = redirect(newer, "https://bank.example/a");
        for order in permutations(&[&old_url, &new_url]) {
            let mut payment = TestPayment::created();
            payment.deliver(order[0]).deliver(order[1]);
            let url = &payment.redirect().unwrap().url;
            assert_eq!(url, "https://bank.example/a", "{older:?} {newer:?}");
        }
        let (old, new) = (requested(older, "zip"), requested(newer, "city"));
        for order in permutations(&[&old, &new]) {
            let mut payment = TestPayment::created();
            payment.deliver(order[0]).deliver(order[1]);
            let fields = &payment.view()["clarification_fields"];
            assert_eq!(*fields, json!(["customer.city"]), "{older:?} {newer:?}");
        }
    }
    // If both dates are equal, the content decides, not the order of arrival.
    let urls = ["https://bank.example/a", "https://bank.example/b"].map(|url| {
        dated("redirect_get", 30, 40, |body| {
            body["redirect_data"]["url"] = url.into();
        })
    });
    let found = permutations(&[0, 1]).into_iter().map(|order| {
        let mut payment = TestPayment::created();
        payment.deliver(&urls[order[0]]).deliver(&urls[order[1]]);
        payment.redirect().unwrap().url.clone()
    });
    assert_eq!(BTreeSet::from_iter(found).len(), 1);
}

#[test]
fn a_pending_report_does_not_replace_a_final_report() {
    for (end, status) in [
        ("sale_success", Status::Succeeded),
        ("sale_decline_customer", Status::Declined),
    ] {
        let mut payment = TestPayment::with_callbacks(&[end]);
        for pending in ["processing", "redirect_get", "clarification_last_name"] {
            payment.deliver(&dated(pending, 58, 59, |_| {}));
            assert_eq!(payment.status(), status, "{end} {pending}");
            assert_eq!(payment.redirect(), None, "{end} {pending}");
        }
    }
}

#[test]
fn an_old_callback_that_changes_nothing_visible_is_stored_and_not_emitted() {
    let mut payment = TestPayment::with_callbacks(&["success_after_decline"]);
    let events = payment.events.len();
    let before = (*payment).clone();
    payment.callback("sale_decline_customer");
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.operations().len(), 2);
    assert_ne!(*payment, before);
    assert_eq!(payment.events.len(), events);
}
