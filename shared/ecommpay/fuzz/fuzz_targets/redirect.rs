//! Reads random bytes as redirect data. Checks that:
//!
//! - nothing panics;
//! - the report has every form field of the body;
//! - the method is `GET` or `POST`.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run redirect` (in `shared/ecommpay`)
#![no_main]

use ecommpay::json::{Limits, Value, parse};
use ecommpay::report::Report;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut body = br#"{"redirect_data":"#.to_vec();
    body.extend_from_slice(data);
    body.push(b'}');
    let Ok(message) = parse(&body, Limits::CALLBACK) else {
        return;
    };
    // The random bytes can close the object and add another key with redirect data.
    if message.members().len() > 1 {
        return;
    }
    let report = Report::read(&message);
    let data = message.get("redirect_data");
    let at = |key| data.and_then(|data| data.get(key));
    let known = at("method").and_then(Value::as_str).is_some_and(|method| {
        method.eq_ignore_ascii_case("get") || method.eq_ignore_ascii_case("post")
    });
    let address = at("url").and_then(Value::as_text);
    assert_eq!(report.redirect.is_some(), known && address.is_some());
    if let Some(redirect) = report.redirect {
        assert_eq!(Some(redirect.url.as_str()), address);
        let fields = at("body").map_or(0, |body| match body {
            Value::Object(members) => members.iter().map(|(_, field)| scalars(field)).sum(),
            _ => 0,
        });
        assert_eq!(redirect.fields.len(), fields);
    }
});

/// Returns the number of form fields for a value.
fn scalars(value: &Value<'_>) -> usize {
    match value {
        Value::Array(elements) => elements.iter().map(scalars).sum(),
        Value::Object(members) => members.iter().map(|(_, member)| scalars(member)).sum(),
        _ => 1,
    }
}
