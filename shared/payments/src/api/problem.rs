//! Errors as callers see them: RFC 9457 problem documents.

use std::fmt::Display;

use http::{Response, StatusCode, header};
use serde::Serialize;

use crate::events::view::DeclineView;
use crate::log::Line;

/// A problem document. It never carries a secret, a stack or another storefront's data.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "status_number")]
    status: StatusCode,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    #[serde(flatten)]
    refusal: Option<Box<DeclineView<'static>>>,
}

/// One bad field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// Where it is: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong, for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub detail: String,
}

fn status_number<S: serde::Serializer>(
    status: &StatusCode,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem of a kind, with a sentence about this case.
    pub fn new(
        status: StatusCode,
        kind: &str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("urn:bancontact:problem:{kind}"),
            title,
            status,
            detail: detail.into(),
            errors: Vec::new(),
            refusal: None,
        }
    }

    /// Bad fields, all at once.
    pub fn invalid(errors: Vec<FieldProblem>) -> Self {
        Self {
            errors,
            ..Self::new(
                StatusCode::BAD_REQUEST,
                "invalid-request",
                "The request is not valid",
                "Each bad field is named in errors.",
            )
        }
    }

    /// No key, or not one of ours.
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The key is missing or unknown",
            "Send Authorization: Bearer and a storefront key.",
        )
    }

    /// The key does not allow this.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "The key does not allow this",
            detail,
        )
    }

    /// Nothing of that name, or not for this caller.
    pub fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// The id was used for something else.
    pub fn conflict(detail: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "The request contradicts an earlier one",
            detail,
        )
    }

    /// The platform refused the request: its code, and what its list of codes says of it.
    pub fn platform_refused(code: &str) -> Self {
        Self {
            refusal: Some(Box::new(DeclineView::new(Some(code.to_owned().into())))),
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "platform-refused",
                "The payment platform refused the request",
                format!("The platform answered with code {code}."),
            )
        }
    }

    /// The service failed, and the request may be repeated. The reason is logged. The caller does not see it.
    pub fn unavailable(reason: impl Display) -> Self {
        Line::error("a request cannot be served")
            .with("error", reason.to_string())
            .write();
        Self::temporary()
    }

    /// The request may be repeated. Nothing is logged.
    pub(super) fn temporary() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service is not available",
            "Repeat the request with the same ids; nothing happens twice.",
        )
    }

    /// The problem as an HTTP answer.
    pub fn into_response(self) -> Response<String> {
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let kind = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        let store = header::HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, store);
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// A JSON answer.
pub fn json_response(status: StatusCode, body: &impl Serialize) -> Response<String> {
    let Ok(body) = serde_json::to_string(body) else {
        return Problem::temporary().into_response();
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    let store = header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, store);
    response
}
