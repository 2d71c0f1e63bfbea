//! Reads random bytes as a callback. Checks that:
//!
//! - no function that reads the callback panics or hangs;
//! - the reader accepts the texts that serde_json accepts;
//! - the canonical string is equal to the string of the reference model;
//! - no status, type or operation is lost if the shape is sound.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run callback` (in `shared/ecommpay`)
#![no_main]

#[path = "../../tests/properties/model.rs"]
mod model;

use ecommpay::json::{Limits, Value, parse};
use ecommpay::report::{Report, has_sound_shape};
use ecommpay::signature::{canonical, may_be_reframed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let ours = parse(body, Limits::CALLBACK);
    if let Err(error) = model::judge(body, &ours) {
        panic!("{error}");
    }
    let Ok(message) = ours else {
        return;
    };
    let string = canonical(&message);
    assert!(string.len() <= Limits::CALLBACK.canonical_of(body.len()));
    assert_eq!(string, model::canonical(&message).into_bytes());
    may_be_reframed(&message);
    let report = Report::read(&message);
    if has_sound_shape(&message) {
        assert_complete(&message, &report);
    }
});

/// Checks that the report has the status and the type of the payment, and each operation with an id. Also checks that
/// `operations` and `errors` are lists if the signature covers them.
fn assert_complete(message: &Value<'_>, report: &Report) {
    let status = message.at(&["payment", "status"]);
    assert_eq!(
        report.payment_status.as_deref(),
        status.and_then(Value::as_text)
    );
    assert!(!status.is_some_and(has_line) || report.payment_status.is_some());
    let kind = message.at(&["payment", "type"]);
    assert_eq!(
        report.payment_type.as_deref(),
        kind.and_then(Value::as_text)
    );
    let single = message.get("operation").into_iter();
    let several = message.get("operations").map_or(&[][..], Value::elements);
    for operation in single.chain(several) {
        let Some(id) = operation.text_at("id") else {
            assert!(!operation.get("id").is_some_and(has_line));
            continue;
        };
        let mut read = report.operations.iter();
        assert!(read.any(|read| read.id.as_ref() == Some(&id)), "{id}");
    }
    let lists = ["operations", "errors"].map(|key| message.get(key));
    for list in lists.into_iter().flatten() {
        assert!(matches!(list, Value::Array(_)) || !has_line(list));
    }
}

/// Returns whether the canonical string has a line for this value. A `null` does not count.
fn has_line(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(elements) => elements.iter().any(has_line),
        Value::Object(members) => members
            .iter()
            .any(|(key, member)| key != "signature" && key != "frame_mode" && has_line(member)),
    }
}
