//! Defines why a change was not committed, or why its events were not published.

use std::error::Error;

use thiserror::Error as ThisError;

use crate::events::EventKind;
use crate::ports::{SendError, StoreError};

/// Why a fact or command was possibly not applied. The caller can repeat the call.
#[derive(Debug, ThisError)]
pub enum ApplyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another writer changed the payment during each try.
    #[error("other writers changed the payment during each try to write it")]
    Contention,
    /// The stored payment has a word that this release does not know ([`crate::model::document`]).
    #[error("only a newer release can change the payment")]
    NeedsNewerRelease,
}

/// Why committed events are not all published.
#[derive(Debug, ThisError)]
pub enum PublishError {
    /// A queue failed.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Pending events could not be emitted.
    #[error(transparent)]
    NotEmitted(#[from] ApplyError),
    /// The limit of the call was reached. The outbox sweep publishes the remaining events.
    #[error("the outbox sweep will publish the remaining events")]
    Unfinished,
    /// The store lacks events that are not marked as published.
    #[error("the store has only {found} of the events {first} to {last}")]
    Missing {
        /// The sequence number of the first event that is not marked as published.
        first: u64,
        /// The sequence number of the last event of the page.
        last: u64,
        /// The number of events that were found.
        found: usize,
    },
}

/// Treats [`PublishError::Unfinished`] as no error, because the outbox sweep publishes the remaining events.
pub(crate) fn left_to_sweep(
    published: Result<Vec<EventKind>, PublishError>,
) -> Result<Vec<EventKind>, PublishError> {
    match published {
        Err(PublishError::Unfinished) => Ok(Vec::new()),
        published => published,
    }
}

pub(crate) trait BatchError: Error {
    /// Whether the payment or one of its items cannot be read. Code that works on many payments then skips the payment.
    fn is_unreadable(&self) -> bool;
}

impl BatchError for ApplyError {
    fn is_unreadable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_unreadable())
    }
}

impl BatchError for PublishError {
    fn is_unreadable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_unreadable(),
            Self::NotEmitted(error) => error.is_unreadable(),
            Self::Send(_) | Self::Unfinished | Self::Missing { .. } => false,
        }
    }
}
