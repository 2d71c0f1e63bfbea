//! Why a change was not committed, or its events not published.

use thiserror::Error;

use crate::ports::{SendError, StoreError};

/// A fact or command was not applied. Nothing was lost, and the call may be repeated.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another writer changed the payment during each attempt.
    #[error("other writers changed the payment during each attempt")]
    Contention,
}

/// Events are committed, but not all of them are published.
#[derive(Debug, Error)]
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
    /// The store has lost events that were never marked as published.
    #[error("the store has only {found} of the events {first} to {last}")]
    Missing {
        /// The first event that is not marked as published.
        first: u64,
        /// The last event of the payment.
        last: u64,
        /// The number of events found.
        found: usize,
    },
}
