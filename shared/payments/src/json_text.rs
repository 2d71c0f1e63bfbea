//! What we write, as JSON.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// A value as JSON, which can stand in other JSON as it is.
#[expect(
    clippy::expect_used,
    reason = "as in `json!`: what is written has a form in JSON"
)]
pub(crate) fn json_text(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("it has a form in JSON")
}

/// The text of it.
pub(crate) fn text(json: Box<RawValue>) -> String {
    Box::<str>::from(json).into_string()
}
