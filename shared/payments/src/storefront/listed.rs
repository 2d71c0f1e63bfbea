//! A key as it is listed.

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;
use serde::{Deserialize, Serialize};

use super::{Scope, Storefront};
use crate::timestamp::Timestamp;

/// A key as it is listed, from when it was made on and also after it was revoked: all about it,
/// but nothing that could be compared with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedKey {
    /// Its public part.
    pub key_id: String,
    /// The storefront's name.
    pub name: String,
    /// The project that the storefront's payments belong to.
    pub project_id: ProjectId,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
    /// Where shoppers may return to.
    pub return_origins: BTreeSet<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing any more.
    pub revoked_at: Option<Timestamp>,
}

impl ListedKey {
    /// A key that was made at that moment.
    pub fn new(storefront: &Storefront, created_at: Timestamp) -> Self {
        Self {
            key_id: storefront.key_id.clone(),
            name: storefront.name.clone(),
            project_id: storefront.project_id,
            scopes: storefront.scopes.clone(),
            return_origins: storefront.return_origins.clone(),
            created_at,
            revoked_at: None,
        }
    }
}
