//! Defines the store of storefront keys.

use std::future::Future;

use super::store_error::StoreError;
use crate::model::storefront::Storefront;

/// Stores the keys of storefronts.
pub trait StorefrontStore {
    /// Returns the storefront of a key, by the public part of the key. The read is consistent: a revoked key is
    /// unknown from the next read on.
    fn storefront(
        &self,
        key_id: &str,
    ) -> impl Future<Output = Result<Option<Storefront>, StoreError>> + Send;
}
