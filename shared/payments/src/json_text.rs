//! Our own words as JSON.

use serde::Serialize;

/// What we write ourselves: text, numbers, lists and maps by text, all of which has a form in JSON.
#[expect(
    clippy::expect_used,
    reason = "only maps by anything but text have none"
)]
pub(crate) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it has a form in JSON")
}
