//! How the platform answers requests: well, wrongly or not at all.

use serde::{Deserialize, Serialize};

use super::super::operation;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Starts a payment.
    Sale,
    /// Gives money back.
    Refund,
    /// Brings data that was asked for.
    Clarification,
    /// Reads the state of a payment.
    Status,
}

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// As it should be.
    Ok,
    /// HTTP 500; the request is not taken.
    #[serde(rename = "error_500")]
    Error500,
    /// HTTP 400 with code 502; the request is not taken.
    #[serde(rename = "error_400")]
    Error400,
    /// HTTP 400 with code 3041; the request is not taken.
    #[serde(rename = "error_3041")]
    Error3041,
    /// HTTP 403 with code 303; the request is not taken.
    #[serde(rename = "error_403")]
    Error403,
    /// HTTP 404 with code 2442; the request is not taken.
    #[serde(rename = "error_404")]
    Error404,
    /// HTTP 422 with code 2003; the request is not taken.
    #[serde(rename = "error_422")]
    Error422,
    /// Status requests only: 3061 in the form of [`super::Faults::not_found_form`], whatever the payment is.
    NotFound,
    /// Status requests only: 3062 in that form, for a payment that was taken.
    DetailsNotReceived,
    /// The request is taken and answered with HTML.
    NotJson,
    /// The request is taken and answered after [`super::Faults::slow_ms`].
    Slow,
    /// The request is taken and the connection cut.
    Cut,
    /// The connection is cut before the request is taken.
    Lost,
}

/// How a status request about an unknown payment is answered (protocol-2.md section 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotFoundForm {
    /// A signed answer whose payment has the status `error`.
    #[default]
    Payment,
    /// A signed answer without a payment.
    TopLevel,
    /// The same without a signature.
    TopLevelUnsigned,
}

/// An operation that the Data API can list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListedKind {
    /// Takes money.
    Sale,
    /// Gives it back.
    Refund,
    /// Takes a refund back.
    RefundReverse,
    /// Waits for the crediting.
    PaymentConfirmation,
    /// Undoes an unconfirmed sale.
    Reversal,
    /// Settles a held payment.
    ManualChange,
    /// Sends a link.
    Invoice,
    /// Any other type.
    Other,
}

impl ListedKind {
    /// The kind of an operation.
    pub fn of(kind: &operation::Kind) -> Self {
        match kind {
            operation::Kind::Sale => ListedKind::Sale,
            operation::Kind::Refund => ListedKind::Refund,
            operation::Kind::RefundReverse => ListedKind::RefundReverse,
            operation::Kind::Confirmation => ListedKind::PaymentConfirmation,
            operation::Kind::Reversal => ListedKind::Reversal,
            operation::Kind::ManualChange => ListedKind::ManualChange,
            operation::Kind::Invoice => ListedKind::Invoice,
            operation::Kind::Other { .. } => ListedKind::Other,
        }
    }
}
