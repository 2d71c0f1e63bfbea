//! Defines the result of `resync`.

use payments::service::status_poll::{Found, PollError, PollResult};
use serde::Serialize;

use super::amounts::Amounts;
use super::event_types::event_types;
use super::not_done::NotDone;

#[derive(Debug, Serialize)]
pub struct ResyncDone {
    /// The content of the answer: `operations`, `nothing` for "not found", or `unclear`. For example, an answer that
    /// names another payment is unclear.
    platform: &'static str,
    /// The payment before the poll; `None` if the payment was not in our table.
    before: Option<Amounts>,
    /// The payment after the poll; `None` if the payment is still not in our table.
    after: Option<Amounts>,
    events: Vec<&'static str>,
}

impl From<PollResult> for ResyncDone {
    fn from(polled: PollResult) -> Self {
        Self {
            platform: match polled.found {
                Found::Operations => "operations",
                Found::Nothing => "nothing",
                Found::Unclear => "unclear",
            },
            before: polled.before.as_ref().map(Amounts::of),
            after: polled.payment.as_ref().map(Amounts::of),
            events: event_types(&polled.published),
        }
    }
}

impl From<PollError> for NotDone {
    fn from(error: PollError) -> Self {
        match error {
            PollError::NoKey => Self::refused("no_key", error),
            PollError::NotSignable => Self::refused("not_signable", error),
            PollError::NoAnswer(_) => Self::failed("no_answer", error),
            PollError::TooLarge => Self::failed("too_large", error),
            PollError::NotValid(_) => Self::failed("not_valid", error),
            PollError::NotSigned => Self::failed("not_signed", error),
            PollError::UnsoundShape => Self::failed("unsound_shape", error),
            PollError::NotReadable => Self::failed("not_readable", error),
            PollError::NotCommitted(_) => Self::failed("not_committed", error),
            PollError::NotPublished(_) => Self::failed("not_published", error),
        }
    }
}
