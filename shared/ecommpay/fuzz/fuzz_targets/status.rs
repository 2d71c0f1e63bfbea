//! Any bytes as Gate's answer to a status request: reading it comes to an end without a panic, and
//! both forms of the answer agree about the payment.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run status` (in `shared/ecommpay`)
#![no_main]

use ecommpay::answer::{Answer, RequestOutcome};
use ecommpay::data_api;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for status in [200, 400, 500] {
        let answer = Answer::read(status, body);
        match status {
            200 => assert!(!matches!(answer, Answer::Refused(_))),
            400 => assert!(!matches!(answer, Answer::Accepted { .. })),
            _ => assert_eq!(answer, Answer::Unclear),
        }
    }
    let Ok(message) = parse(body, Limits::CALLBACK) else {
        return;
    };
    let report = Report::read(&message);
    for operation in &report.operations {
        // Money is given back by refunds and reversals only, and only once they have succeeded.
        let refunded = operation.refunded_amount();
        assert_eq!(refunded.is_some(), operation.is_refund());
        assert!(refunded.unwrap_or(0) == 0 || operation.status == "success");
        assert!(operation.is_refund() || operation.merchant_refund_id.is_none());
    }
    if let Some(outcome) = RequestOutcome::read(&message) {
        assert_eq!(outcome.payment_id, report.payment_id);
        assert_eq!(outcome.operations, report.operations);
    }
    data_api::operations(&message);
});
