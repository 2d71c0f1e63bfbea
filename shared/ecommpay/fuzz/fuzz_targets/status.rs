//! Reads random bytes as Gate's answer to a status request, and as a page of the Data API. Checks that nothing panics
//! and that no listed operation or error is lost.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run status` (in `shared/ecommpay`)
#![no_main]

use ecommpay::answer::{Answer, StatusAnswer};
use ecommpay::data_api;
use ecommpay::json::{Limits, Value, parse};
use ecommpay::report::Report;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for status in [200, 400, 404, 500] {
        let answer = Answer::read(status, body);
        match status {
            200 => assert!(!matches!(answer, Answer::Refused(_))),
            400 | 404 => assert!(!matches!(answer, Answer::Accepted { .. })),
            _ => assert_eq!(answer, Answer::Unclear),
        }
    }
    let Ok(message) = parse(body, Limits::CALLBACK) else {
        return;
    };
    let report = Report::read(&message);
    for operation in &report.operations {
        let kind = &operation.kind;
        assert!(!kind.gives_back() || !kind.moves_no_money() && !kind.is_undocumented());
        assert!(kind.is_about_refund() || operation.merchant_refund_id.is_none());
    }
    let single = message.get("operation").into_iter();
    let several = elements(&message, "operations").iter();
    let listed = single
        .chain(several)
        .filter(|operation| has_texts(operation, &["type", "status"]));
    assert_eq!(report.operations.len(), listed.count());
    let failed = elements(&message, "errors").iter();
    let failed = failed.filter(|error| has_texts(error, &["code"]));
    assert_eq!(report.errors.len(), failed.count());

    match StatusAnswer::read(&message) {
        StatusAnswer::Report(read) => assert_eq!(read, report),
        // Both results require the status `error` and no operation.
        StatusAnswer::NotFound | StatusAnswer::NotReadable => {
            let status = message.get("status").and_then(Value::as_str);
            let of_payment = report.payment_status.as_deref();
            assert!(report.operations.is_empty());
            assert!(of_payment.or(status) == Some("error"));
        }
    }
    assert_page(&message);
});

/// Checks that each element of the list in a page becomes one operation.
fn assert_page(message: &Value<'_>) {
    let list = elements(message, "operations");
    let is_list = matches!(message.get("operations"), Some(Value::Array(_)));
    let read = data_api::operations(message);
    assert_eq!(read.is_some(), is_list);
    let read = read.unwrap_or_default();
    assert_eq!(read.len(), list.len());
    for (read, operation) in read.iter().zip(list) {
        let text = |key| operation.text_at(key).unwrap_or_default();
        assert_eq!(read.operation_id, text("operation_id"));
        assert_eq!(read.payment_id, text("payment_id"));
        assert_eq!(read.kind.as_str(), text("operation_type"));
        assert_eq!(read.status, text("operation_status"));
    }
}

fn elements<'a, 'b>(message: &'a Value<'b>, key: &str) -> &'a [Value<'b>] {
    message.get(key).map_or(&[], Value::elements)
}

fn has_texts(value: &Value<'_>, keys: &[&str]) -> bool {
    keys.iter().all(|key| value.text_at(key).is_some())
}
