//! Defines the error of every store.

use thiserror::Error;

/// The store failed. The call may be repeated.
#[derive(Debug, Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);
