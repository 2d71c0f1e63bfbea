//! Makes HTTP answers with the JSON of the platform.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use ecommpay::signature::SignError;

use super::object::Object;
use super::php_json;

pub fn json(status: StatusCode, message: &Object) -> Response {
    answer(status, php_json::to_vec(message).ok())
}

/// If the body could not be signed, the answer has the status 500.
pub fn signed_json(body: Result<Vec<u8>, SignError>) -> Response {
    answer(StatusCode::OK, body.ok())
}

fn answer(status: StatusCode, body: Option<Vec<u8>>) -> Response {
    match body {
        Some(body) => (status, [(CONTENT_TYPE, "application/json")], body).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
