//! Why a status poll had no usable result.

use ecommpay::json::JsonError;
use thiserror::Error;

use crate::ports::NoAnswer;
use crate::service::error::{ApplyError, PublishError};

/// A status poll had no usable result. The next one is already scheduled.
#[derive(Debug, Error)]
pub enum PollError {
    /// We have no key of the payment's project.
    #[error("there is no key of its project")]
    NoKey,
    /// The payment's id contains characters that cannot be signed unambiguously.
    #[error("its id cannot be signed")]
    NotSignable,
    /// The platform did not answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The answer is not valid JSON.
    #[error("the answer is not valid: {0}")]
    NotValid(#[from] JsonError),
    /// No key of the project signed the answer.
    #[error("the answer is not signed")]
    NotSigned,
    /// The platform has the payment and cannot show it yet.
    #[error("the platform cannot show the payment yet (3062)")]
    NotReadable,
    /// The poll could not be claimed, or its answer could not be committed.
    #[error(transparent)]
    NotCommitted(#[from] ApplyError),
    /// The answer is committed, but its events are not published.
    #[error(transparent)]
    NotPublished(#[from] PublishError),
}
