//! Defines the errors of a status poll.

use ecommpay::json::JsonError;
use thiserror::Error;

use crate::ports::NoAnswer;
use crate::service::error::{ApplyError, BatchError, PublishError};

/// Why a status poll had no usable result, or was not completed.
#[derive(Debug, Error)]
pub enum PollError {
    /// There is no key of the payment's project.
    #[error("there is no key of the payment's project")]
    NoKey,
    /// The payment's id contains characters that make a signature ambiguous.
    #[error("the payment's id cannot be signed")]
    NotSignable,
    /// The platform gave no usable answer.
    #[error(transparent)]
    NoAnswer(NoAnswer),
    /// The answer exceeds a size limit.
    #[error("the platform's answer is too large")]
    TooLarge,
    /// The answer is not valid JSON.
    #[error("the answer is not valid: {0}")]
    NotValid(JsonError),
    /// The answer has no valid signature of the project.
    #[error("the answer has no valid signature of the project")]
    NotSigned,
    /// A field of the answer has an unexpected type. A field can be altered in this way without invalidating the
    /// signature, so the answer is not trusted.
    #[error("a field of the answer has an unexpected kind of value")]
    UnsoundShape,
    /// The platform has the payment, but cannot show it yet (code 3062).
    #[error("the platform cannot show the payment yet (3062)")]
    NotReadable,
    /// The poll could not be claimed, or its answer could not be committed.
    #[error(transparent)]
    NotCommitted(#[from] ApplyError),
    /// The answer is committed, but its events are not published.
    #[error(transparent)]
    NotPublished(#[from] PublishError),
}

impl From<NoAnswer> for PollError {
    fn from(error: NoAnswer) -> Self {
        match error {
            NoAnswer::TooLarge => Self::TooLarge,
            error => Self::NoAnswer(error),
        }
    }
}

impl From<JsonError> for PollError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::TooLarge | JsonError::TooManyKeys | JsonError::CanonicalTooLarge => {
                Self::TooLarge
            }
            error => Self::NotValid(error),
        }
    }
}

impl BatchError for PollError {
    fn is_unreadable(&self) -> bool {
        match self {
            Self::NotCommitted(error) => error.is_unreadable(),
            Self::NotPublished(error) => error.is_unreadable(),
            _ => false,
        }
    }
}
