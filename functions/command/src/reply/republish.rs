//! Defines the result of `republish`.

use payments::service::outbox::republish::{RepublishError, Republished};
use serde::Serialize;

use super::event_types::event_types;
use super::not_done::NotDone;

/// The events that were sent, and the requested events that could not be sent.
#[derive(Debug, Serialize)]
pub struct RepublishDone {
    /// The types of the events that were in the outbox and are now published for the first time.
    published: Vec<&'static str>,
    repeated: Vec<Repeated>,
    /// The sequence numbers of the requested events that the table no longer has, or that cannot be read.
    gone: Vec<u64>,
}

#[derive(Debug, Serialize)]
struct Repeated {
    sequence: u64,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl From<Republished> for RepublishDone {
    fn from(republished: Republished) -> Self {
        let repeated = republished
            .repeated
            .iter()
            .map(|(sequence, kind)| Repeated {
                sequence: *sequence,
                kind: kind.as_str(),
            });
        Self {
            published: event_types(&republished.published),
            repeated: repeated.collect(),
            gone: republished.gone,
        }
    }
}

impl From<RepublishError> for NotDone {
    fn from(error: RepublishError) -> Self {
        match error {
            RepublishError::NotFound => Self::refused("not_found", error),
            RepublishError::NoSuchEvents { .. } => Self::refused("no_such_events", error),
            RepublishError::TooMany { .. } => Self::refused("too_many_events", error),
            RepublishError::NotPublished(_) => Self::failed("not_published", error),
            RepublishError::Incomplete(_) => Self::failed("incomplete", error),
            RepublishError::Store(_) => Self::failed("unavailable", error),
        }
    }
}
