//! Serializes our own types to JSON text.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Serializes a value. The result can be a member of another value.
#[expect(
    clippy::expect_used,
    reason = "as in `json!`: no type that is passed here can fail to serialize"
)]
pub(crate) fn to_json(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("the value can be serialized")
}

pub(crate) fn to_json_string(value: &impl Serialize) -> String {
    Box::<str>::from(to_json(value)).into_string()
}
