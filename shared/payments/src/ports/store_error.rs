//! Defines the error of every store.

use thiserror::Error;

/// The store failed, or an item of the store cannot be read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The store failed. The caller can repeat the call.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The item cannot be read, because of wrong JSON, an unknown word or a missing attribute. A repeat of the call
    /// has the same result. Code that works on many items skips this item.
    #[error("the item {item} cannot be read: {why}")]
    Unreadable {
        /// The key of the item.
        item: String,
        /// What is wrong, without a value of the item.
        why: String,
    },
}

impl StoreError {
    /// Returns what is wrong, without the key of the item.
    pub fn why(&self) -> &str {
        match self {
            Self::Failed(why) | Self::Unreadable { why, .. } => why,
        }
    }

    /// Whether the item cannot be read, so that code that works on many items must skip it.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }

    /// Replaces [`Self::Unreadable`] by `None`. The adapter has already logged and counted the error.
    pub(crate) fn pass_over<T>(read: Result<T, Self>) -> Result<Option<T>, Self> {
        match read {
            Ok(item) => Ok(Some(item)),
            Err(error) if error.is_unreadable() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
