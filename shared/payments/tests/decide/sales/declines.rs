//! Tests that the platform's error statuses decline an operation.

use payments::model::{Outcome, RefundStatus, Status};
use serde_json::json;

use crate::fixtures::*;

#[test]
fn an_error_status_declines_a_sale_in_callbacks_and_in_status_answers() {
    for status in DECLINED {
        for is_answer in [false, true] {
            // `error` as `payment.status` means that a request failed, not that the payment was declined.
            let payment_statuses = ["decline", status].into_iter();
            for payment_status in payment_statuses.filter(|word| *word != "error") {
                let sale = edited("sale_decline_customer", |body| {
                    body["operation"]["status"] = status.into();
                    body["payment"]["status"] = payment_status.into();
                });
                let mut payment = TestPayment::created();
                match is_answer {
                    false => payment.deliver(&sale),
                    true => payment.poll_now(NOW, &sale),
                };
                let outcome = payment.operations().next().unwrap().1.outcome();
                assert_eq!(outcome, Outcome::Declined, "{status} {is_answer}");
                assert_eq!(payment.status(), Status::Declined, "{payment_status}");
                assert_eq!(poll_at(&payment), None, "{payment_status}");
            }
        }
    }
}

#[test]
fn an_error_status_declines_a_refund_and_releases_its_reservation() {
    for status in DECLINED {
        for is_answer in [false, true] {
            let declined = refund_operation("7", status, json!({ "merchant_refund_id": "r-1" }));
            let mut payment = TestPayment::paid();
            payment.reserve("r-1", Some(250)).unwrap();
            match is_answer {
                false => payment.deliver(&declined),
                true => payment.poll_now(NOW, &declined),
            };
            let refund = payment.refund(&id("r-1")).unwrap();
            assert_eq!(refund.status(), RefundStatus::Declined, "{status}");
            assert_eq!(payment.refund_sums(), (0, 0, 1000), "{status}");
        }
    }
}

/// A declined sale ends the payment only if `payment.status` declines the whole payment.
#[test]
fn an_error_status_of_one_sale_leaves_the_payment_open_for_another_sale() {
    for status in DECLINED {
        let sale = edited("sale_decline_customer", |body| {
            body["payment"]["status"] = "awaiting customer".into();
            body["operation"]["status"] = status.into();
        });
        let mut payment = TestPayment::created();
        payment.deliver(&sale);
        assert_eq!(payment.status(), Status::Processing, "{status}");
        payment.callback("success_after_decline");
        assert_eq!(payment.status(), Status::Succeeded, "{status}");
    }
}
