//! Reads the bodies of control calls, and makes the answers to refused calls.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::platform::messages::codes::{self, Code};

/// The JSON body of a call. An empty body counts as an empty object.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| Refused::bad_request(&error.to_string()))?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let body = serde_json::from_slice(text);
        let body = body.map_err(|error| Refused::bad_request(&format!("Invalid body: {error}.")));
        body.map(Body)
    }
}

pub struct Refused(pub StatusCode, pub String);

impl Refused {
    pub fn bad_request(reason: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.to_owned())
    }
}

/// The payment does not exist, or its state does not allow the call.
impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        let status = match code {
            codes::NOT_FOUND => StatusCode::NOT_FOUND,
            _ => StatusCode::CONFLICT,
        };
        Self(status, code.message.to_owned())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

pub fn check_amount(amount: u64) -> Result<(), Refused> {
    match amount {
        0 => Err(Refused::bad_request("The amount must be at least 1.")),
        _ => Ok(()),
    }
}
