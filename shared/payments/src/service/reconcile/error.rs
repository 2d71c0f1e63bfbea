//! Defines the errors of the comparison of a slice.

use thiserror::Error;

use crate::ports::{NoAnswer, StoreError};
use crate::service::error::ApplyError;

/// Why a slice could not be compared. The next run repeats the slice.
#[derive(Debug, Error)]
pub(super) enum SliceError {
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NotCommitted(#[from] ApplyError),
    #[error("the platform lists the same operations on each page")]
    RepeatedPage,
    #[error("a day has more than {0} operations")]
    TooMany(usize),
}
