//! Gate: takes every sale and refund.

use http::StatusCode;
use serde_json::{Value, json};

use super::server::Answer;

/// What Gate calls every request that it has taken; callbacks name it.
pub const REQUEST_ID: &str = "7e08d48c4f5da3692b65e5426f44ed36896e569c";

pub(super) fn answer(path: &str, body: &[u8]) -> Answer {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let general = message.get("general").unwrap_or(&Value::Null);
    let is_signed = general.get("signature").is_some_and(Value::is_string);
    let what = path.rsplit('/').next().unwrap_or_default();
    let name = format!("Gate {what}");
    if !is_signed || !matches!(what, "sale" | "refund") {
        let refusal = json!({ "status": "error", "code": "2003", "message": "not for a stub" });
        return (name, StatusCode::BAD_REQUEST, refusal);
    }
    let taken = json!({
        "status": "success",
        "request_id": REQUEST_ID,
        "project_id": general.get("project_id"),
        "payment_id": general.get("payment_id"),
    });
    (name, StatusCode::OK, taken)
}
