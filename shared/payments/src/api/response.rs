//! Makes JSON answers that no cache may store.

use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::json_text::to_json_string;

/// Creates a JSON answer.
pub fn json_response(status: StatusCode, body: &impl Serialize) -> Response<String> {
    response(status, "application/json", body)
}

pub(super) fn response(
    status: StatusCode,
    content_type: &'static str,
    body: &impl Serialize,
) -> Response<String> {
    let mut response = Response::new(to_json_string(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
