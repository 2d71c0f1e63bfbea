//! Refused requests, and the platform's error statuses.

use ecommpay::answer::Answer;
use payments::decide::Command;
use payments::model::{Outcome, RefundStatus, Status};
use serde_json::json;

use super::story::*;

#[test]
fn an_error_body_with_404_refuses_a_sale_and_a_refund() {
    let body = br#"{"status":"error","code":"2701","message":"no"}"#;
    for status in [400, 403, 404, 422] {
        let answer = Answer::read(status, body);
        let mut story = Story::created();
        story.sale_answer(&answer);
        assert_eq!(story.payment.status(), Status::Failed, "{status}");
        assert_eq!(story.payment.refusal_code(), Some("2701"), "{status}");
        assert_eq!(story.kinds().last(), Some(&"payment.failed"), "{status}");

        let mut story = Story::created();
        story.callback("sale_success");
        story.refund(&refund("r-1", None)).unwrap();
        story.refund_answer("r-1", &answer);
        let refund = story.payment.refund(&id("r-1")).unwrap();
        assert_eq!(refund.status(), RefundStatus::Declined, "{status}");
        assert_eq!(story.payment.refundable_amount(), 1000, "{status}");
    }
    for (status, body) in [(500, &body[..]), (404, b"<html>"), (404, b"{}")] {
        let mut story = Story::created();
        story.sale_answer(&Answer::read(status, body));
        assert_eq!(story.payment.status(), Status::Processing, "{status}");
    }
}

/// The error statuses, `expired` and the canceled ones.
const DECLINED: [&str; 7] = [
    "decline",
    "error",
    "expired",
    "external error",
    "internal error",
    "canceled",
    "cancelled",
];

#[test]
fn an_error_status_declines_an_operation_in_callbacks_and_answers_alike() {
    for status in DECLINED {
        for is_answer in [false, true] {
            // `error` as the payment's status is about a request.
            for of_payment in ["decline", status]
                .into_iter()
                .filter(|word| *word != "error")
            {
                let sale = edited("sale_decline_customer", |body| {
                    body["operation"]["status"] = status.into();
                    body["payment"]["status"] = of_payment.into();
                });
                let mut story = Story::created();
                match is_answer {
                    false => story.deliver(&sale),
                    true => story.run(Command::PollNow, NOW).status_answer(&sale),
                };
                let outcome = story.payment.operations().next().unwrap().1.outcome();
                assert_eq!(outcome, Outcome::Declined, "{status} {is_answer}");
                assert_eq!(story.payment.status(), Status::Declined, "{of_payment}");
                assert_eq!(poll_at(&story.payment), None, "{of_payment}");
            }

            // Such a refund gives its reservation back.
            let declined = refund_operation("7", status, json!({ "merchant_refund_id": "r-1" }));
            let mut story = Story::created();
            story.callback("sale_success");
            story.refund(&refund("r-1", Some(250))).unwrap();
            match is_answer {
                false => story.deliver(&declined),
                true => story.run(Command::PollNow, NOW).status_answer(&declined),
            };
            let refund = story.payment.refund(&id("r-1")).unwrap();
            assert_eq!(refund.status(), RefundStatus::Declined, "{status}");
            assert_eq!(story.refund_sums(), (0, 0, 1000), "{status}");
        }
    }
}

/// A declined sale ends the payment only if `payment.status` says `decline`.
#[test]
fn an_error_status_of_one_sale_leaves_the_payment_open_for_another() {
    for status in DECLINED {
        let sale = edited("sale_decline_customer", |body| {
            body["payment"]["status"] = "awaiting customer".into();
            body["operation"]["status"] = status.into();
        });
        let mut story = Story::created();
        story.deliver(&sale);
        assert_eq!(story.payment.status(), Status::Processing, "{status}");
        story.callback("success_after_decline");
        assert_eq!(story.payment.status(), Status::Succeeded, "{status}");
    }
}
