//! Defines problem documents (RFC 9457), the errors that callers receive.

use std::fmt::Display;

use http::{HeaderValue, Response, StatusCode, header};
use serde::{Serialize, Serializer};

use super::response::response;
use crate::events::view::DeclineView;
use crate::log::Line;

/// A problem document. It must not contain a secret, a stack trace or data of another storefront.
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
    #[serde(skip)]
    external_cause: Option<ExternalCause>,
}

/// Marks an answer with a server error that the platform or other requests caused. Such an error does not stop the
/// deployment of a new release.
#[derive(Debug, Clone, Copy)]
pub struct ExternalCause;

/// An invalid field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The location of the field: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The problem, for programs.
    pub code: &'static str,
    /// The problem, for people.
    pub detail: String,
}

fn status_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// Creates a problem. The `kind` determines the `title`; `detail` is about this problem only.
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
            external_cause: None,
        }
    }

    /// The request has invalid fields.
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

    /// The request has no key, or the key is unknown.
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The key is missing or unknown",
            "Send the header `Authorization: Bearer KEY` with a storefront key.",
        )
    }

    /// The key does not allow the call.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "The key does not allow this",
            detail,
        )
    }

    /// The resource does not exist, or the caller may not see it.
    pub fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// The request contradicts an earlier request, or the state of the payment.
    pub fn conflict(detail: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "The request contradicts an earlier one",
            detail,
        )
    }

    /// The platform refused the request with this code.
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

    /// The service failed, and the caller can repeat the request. Logs the reason, which the caller does not see.
    pub fn unavailable(reason: impl Display) -> Self {
        Line::error("a request cannot be served")
            .with("error", reason.to_string())
            .write();
        Self::temporary()
    }

    /// The same as [`Self::unavailable`], but logs nothing.
    pub(super) fn temporary() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service is not available",
            "Repeat the request with the same ids; nothing happens twice.",
        )
    }

    pub(super) fn caused_externally(self) -> Self {
        Self {
            external_cause: Some(ExternalCause),
            ..self
        }
    }

    /// Returns the problem as an HTTP answer.
    pub fn into_response(self) -> Response<String> {
        let mut response = response(self.status, "application/problem+json", &self);
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(cause) = self.external_cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}
