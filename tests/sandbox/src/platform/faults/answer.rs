//! Defines the switches for the answers to requests.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    Sale,
    Refund,
    Clarification,
    Status,
}

impl RequestKind {
    pub const ALL: [RequestKind; 4] = [
        RequestKind::Sale,
        RequestKind::Refund,
        RequestKind::Clarification,
        RequestKind::Status,
    ];
}

/// How the platform answers a request. With `Lost` and the `Error` variants, the platform does not carry out the
/// request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The documented answer.
    #[default]
    Ok,
    /// HTTP 500 with code 501.
    #[serde(rename = "error_500")]
    Error500,
    /// HTTP 400 with code 502.
    #[serde(rename = "error_400")]
    Error400,
    /// HTTP 400 with code 3041.
    #[serde(rename = "error_3041")]
    Error3041,
    /// HTTP 403 with code 303.
    #[serde(rename = "error_403")]
    Error403,
    /// HTTP 404 with code 2442.
    #[serde(rename = "error_404")]
    Error404,
    /// HTTP 422 with code 2003.
    #[serde(rename = "error_422")]
    Error422,
    /// For status requests: code 3061, also for a known payment.
    NotFound,
    /// For status requests about a known payment: code 3062.
    DetailsNotReceived,
    /// An answer in HTML instead of JSON.
    NotJson,
    /// The documented answer, after a delay of [`super::Faults::slow_ms`].
    Slow,
    /// The connection is cut after the request is carried out.
    Cut,
    /// The connection is cut before the request is carried out.
    Lost,
}

/// The form of a status answer with code 3061 or 3062.
///
/// The platform's documentation describes an answer with a payment and an answer without a payment. The documentation
/// does not say whether the second answer is signed. Therefore the simulation has three forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotFoundForm {
    /// A signed answer whose payment has the status `error`.
    #[default]
    Payment,
    /// A signed answer without a payment.
    TopLevel,
    /// An answer without a payment and without a signature.
    TopLevelUnsigned,
}
