//! Tests payments for which the platform answers a status poll with a signed error.

use ecommpay::answer::Answer;
use payments::decide::{Fact, decide};
use payments::model::Status;
use serde_json::{Value, json};

use crate::fixtures::*;

#[test]
fn an_error_fails_a_sale_whose_request_ended_before_the_poll() {
    for answer in [accepted("r"), Answer::Unclear] {
        let mut payment = TestPayment::created();
        payment.poll_by(NOW, &error_answer("2004"));
        assert_eq!(payment.status(), Status::Created, "the sale is being sent");
        payment.sale_answer(&answer);
        let at = NOW.after(MINUTE);
        payment.poll_by(at, &error_answer("3041"));
        assert_eq!(
            payment.status(),
            Status::Processing,
            "error 3041 must not fail the sale"
        );
        payment.poll_by(at, &error_answer("2004"));
        assert_eq!(payment.status(), Status::Failed);
        assert_eq!(payment.refusal_code(), Some("2004"));
    }
}

#[test]
fn an_error_fails_a_sale_whose_request_was_abandoned() {
    let mut payment = TestPayment::created();
    payment.poll_by(NOW.after(MINUTE), &error_answer("2004"));
    assert_eq!(payment.refusal_code(), Some("2004"));
}

#[test]
fn an_error_that_may_be_about_the_poll_does_not_end_a_sale_and_polling_goes_on() {
    for code in ["100", "501", "601", "602", "20202", "20602"] {
        for answer in [accepted("r"), Answer::Unclear] {
            let mut payment = TestPayment::created();
            payment.sale_answer(&answer);
            for hours in 1..=3 {
                payment.poll_by(NOW.after(hours * HOUR), &error_answer(code));
                assert_eq!(payment.status(), Status::Processing, "{code}");
                assert!(!payment.can_conclude(NOW.after(hours * HOUR)), "{code}");
                assert!(poll_at(&payment).is_some(), "{code}");
            }
            payment.callback("sale_success");
            assert_eq!(payment.status(), Status::Succeeded, "{code}");
        }
    }
}

#[test]
fn an_error_does_not_change_a_paid_payment() {
    let mut payment = TestPayment::accepted();
    payment.callback("sale_success");
    payment.poll_by(NOW, &error_answer("2004"));
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn an_error_that_says_to_wait_does_not_end_a_payment() {
    let end = NOW.after(2 * HOUR);
    let mut payment = TestPayment::with_link();
    payment.poll_by(end, &error_answer("9999"));
    assert!(!payment.can_conclude(end));
    let mut payment = TestPayment::accepted();
    payment.poll_by(end, &error_answer("20899"));
    assert_eq!(payment.status(), Status::Processing);
}

#[test]
fn a_link_whose_payment_was_refused_expires_like_an_unused_link() {
    let mut payment = TestPayment::with_link();
    let (early, end) = (NOW.after(HOUR), NOW.after(90 * MINUTE));
    payment.poll_by(early, &error_answer("2701"));
    assert_eq!(payment.status(), Status::AwaitingCustomer);
    assert!(!payment.can_conclude(early));
    payment.poll_by(end, &error_answer("2701")).conclude(end);
    assert_eq!(payment.refusal_code(), Some("expired"));
}

/// Code 3062 means that the platform has accepted the payment, but cannot show it yet.
#[test]
fn an_answer_with_code_3062_is_not_a_fact_and_never_ends_a_payment() {
    let answer = corpus("status_details_not_received");
    assert!(fact_of_answer(answer, 1).is_none());
    let end = order().expires_at.after(HOUR);
    let mut sale = TestPayment::created();
    sale.sale_answer(&Answer::Unclear);
    for mut payment in [TestPayment::with_link(), sale] {
        let status = payment.status();
        payment.apply(claim_poll(&payment, end));
        let fact = Fact::StatusAnswer {
            report: answer.signed_report(),
            poll: payment.polling().polls_sent(),
        };
        payment.fact(fact, end);
        assert!(!payment.can_conclude(end));
        assert_eq!(payment.status(), status);
    }
}

/// The platform repeats each callback for days.
#[test]
fn a_repeated_callback_about_the_error_of_an_unknown_request_changes_nothing() {
    for request_id in [json!("unknown"), Value::Null] {
        let error = edited("sale_success", |body| {
            body["payment"] = json!({ "id": PAYMENT, "status": "error" });
            body["operation"] =
                json!({ "type": "sale", "status": "error", "request_id": request_id });
            body["errors"] = json!([{ "code": "2004" }]);
        });
        let mut payment = TestPayment::accepted();
        payment.deliver(&error);
        assert!(payment.is_poll_due(), "{request_id}");
        payment.poll_now(NOW, corpus("sale_success"));
        assert_eq!(payment.status(), Status::Succeeded, "{request_id}");
        let repeated = decide(Some(&payment), error.fact(), payment.now.after(HOUR));
        assert_eq!(repeated, None, "{request_id}");
    }
}
