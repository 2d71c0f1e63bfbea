//! Stores the storefront keys in a separate table (`shared/decisions/protocol/0032-table-of-storefront-keys.md`).
//!
//! | attribute | content |
//! | --- | --- |
//! | `key_id` | the public part of the key, which is the partition key |
//! | `key_hash` | the SHA-256 of the key; absent after a revocation |
//! | `document` | the storefront, as JSON |
//! | `created_at` | milliseconds |
//! | `revoked_at` | milliseconds; absent until a revocation |
//!
//! Functions have the permission to read single items. Only operators can list and write items. Nothing deletes an
//! item, so that no later key gets the id of an earlier key.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ecommpay::fields::ProjectId;
use payments::MerchantId;
use payments::model::storefront::{ListedKey, Scope, Storefront};
use payments::model::timestamp::Timestamp;
use payments::ports::{StoreError, StorefrontStore};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::attributes::{Item, item_error, millis, read_millis, read_text, text};
use super::conditional::{self, NotUpdated};
use super::failed;
use super::unreadable::unreadable;

/// The attributes that an operator sees. The hash of the key is not one of them.
const LISTED: &str = "key_id, document, created_at, revoked_at";

/// A client of the table of storefront keys.
#[derive(Debug, Clone)]
pub struct StorefrontKeys {
    client: Client,
    table: String,
}

/// A key in the list that operators see.
#[derive(Debug)]
pub struct KeyEntry {
    /// The public part of the key.
    pub key_id: String,
    /// Whether the key is revoked.
    pub is_revoked: bool,
    /// The key, or the reason why its item cannot be read.
    pub key: Result<ListedKey, StoreError>,
}

/// The result of a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The key is revoked now.
    Done,
    /// The key was already revoked. Contains the time, if it can be read.
    AlreadyRevoked(Option<Timestamp>),
    /// There is no key with this id.
    UnknownKey,
}

/// The content of the attribute `document`.
#[derive(Serialize, Deserialize)]
struct Document {
    name: String,
    project_id: ProjectId,
    #[serde(deserialize_with = "known_scopes")]
    scopes: BTreeSet<Scope>,
    return_origins: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_id_prefix: Option<MerchantId>,
}

/// Reads scopes. Leaves out a scope that this release does not know, so such a scope permits nothing.
fn known_scopes<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<Scope>, D::Error> {
    let words = Vec::<Value>::deserialize(from)?.into_iter();
    let known = words.filter_map(|word| Scope::deserialize(word).ok());
    Ok(known.collect())
}

impl StorefrontStore for StorefrontKeys {
    async fn storefront(&self, key_id: &str) -> Result<Option<Storefront>, StoreError> {
        match self.get(key_id, None).await? {
            // The revocation is checked first, so that a revoked key is unknown even if its item is damaged.
            Some(item) if !is_revoked(&item) => {
                let storefront = read_storefront(&item);
                storefront
                    .map(Some)
                    .map_err(|error| unreadable("storefront_key", key_id, error))
            }
            _ => Ok(None),
        }
    }
}

impl StorefrontKeys {
    pub(super) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Adds the key of a storefront. Returns false and writes nothing if an earlier key had the same id.
    pub async fn add(&self, storefront: &Storefront, at: Timestamp) -> Result<bool, StoreError> {
        let document = serde_json::to_string(&Document::of(storefront)).map_err(item_error)?;
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("key_id", text(&storefront.key_id))
            .item("key_hash", text(&storefront.key_hash))
            .item("document", text(document))
            .item("created_at", millis(at))
            .condition_expression("attribute_not_exists(key_id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = Box::pin(request.send()).await else {
            return Ok(true);
        };
        match error.as_service_error() {
            // The SDK repeats a call if the answer was lost. After a repeat, the stored item can be the item of the
            // first try.
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                let item = refused.item();
                Ok(item.is_some_and(|item| is_item_of(item, storefront, at)))
            }
            _ => Err(failed(error)),
        }
    }

    /// Returns every key that was ever created, revoked keys included, sorted by id. An item that cannot be read does
    /// not prevent the other keys from being listed.
    pub async fn list(&self) -> Result<Vec<KeyEntry>, StoreError> {
        let mut items = self
            .client
            .scan()
            .table_name(&self.table)
            .projection_expression(LISTED)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut entries = Vec::new();
        while let Some(item) = items.next().await {
            entries.push(KeyEntry::read(&item.map_err(failed)?)?);
        }
        entries.sort_by(|one, other| one.key_id.cmp(&other.key_id));
        Ok(entries)
    }

    /// Returns the entry of one key; `None` if no key has this id.
    pub async fn find(&self, key_id: &str) -> Result<Option<KeyEntry>, StoreError> {
        let item = self.get(key_id, Some(LISTED)).await?;
        item.as_ref().map(KeyEntry::read).transpose()
    }

    /// Revokes a key, even if its item cannot be read. Also removes the hash, so that no reader can accept the key.
    pub async fn revoke(&self, key_id: &str, at: Timestamp) -> Result<Revocation, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("key_id", text(key_id))
            .update_expression("SET revoked_at = :now REMOVE key_hash")
            .condition_expression("attribute_exists(key_id) AND attribute_not_exists(revoked_at)")
            .expression_attribute_values(":now", millis(at));
        match conditional::update(request).await {
            Ok(_) => Ok(Revocation::Done),
            Err(NotUpdated::ConditionFailed(None)) => Ok(Revocation::UnknownKey),
            Err(NotUpdated::ConditionFailed(Some(item))) => {
                let revoked_at = read_millis(&item, "revoked_at").ok();
                Ok(match revoked_at {
                    // The revocation has the time of this call. So an earlier try of this call revoked the key, and the
                    // answer was lost.
                    Some(revoked_at) if revoked_at == at => Revocation::Done,
                    revoked_at => Revocation::AlreadyRevoked(revoked_at),
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn get(&self, key_id: &str, only: Option<&str>) -> Result<Option<Item>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("key_id", text(key_id))
            .set_projection_expression(only.map(str::to_owned))
            .consistent_read(true);
        let output = Box::pin(request.send()).await.map_err(failed)?;
        Ok(output.item)
    }
}

impl KeyEntry {
    fn read(item: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            key_id: read_text(item, "key_id")?.to_owned(),
            is_revoked: is_revoked(item),
            key: read_listed(item),
        })
    }
}

impl Document {
    fn of(storefront: &Storefront) -> Self {
        Self {
            name: storefront.name.clone(),
            project_id: storefront.project_id,
            scopes: storefront.scopes.clone(),
            return_origins: storefront.return_origins.clone(),
            payment_id_prefix: storefront.payment_id_prefix.clone(),
        }
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        serde_json::from_str(read_text(item, "document")?).map_err(item_error)
    }
}

/// A key is revoked even if the time of the revocation cannot be read.
fn is_revoked(item: &Item) -> bool {
    item.contains_key("revoked_at")
}

fn is_item_of(item: &Item, storefront: &Storefront, at: Timestamp) -> bool {
    let has = |name, value: AttributeValue| item.get(name) == Some(&value);
    has("key_hash", text(&storefront.key_hash)) && has("created_at", millis(at))
}

fn read_storefront(item: &Item) -> Result<Storefront, StoreError> {
    let document = Document::read(item)?;
    Ok(Storefront {
        key_id: read_text(item, "key_id")?.to_owned(),
        key_hash: read_text(item, "key_hash")?.to_owned(),
        name: document.name,
        project_id: document.project_id,
        scopes: document.scopes,
        return_origins: document.return_origins,
        payment_id_prefix: document.payment_id_prefix,
    })
}

fn read_listed(item: &Item) -> Result<ListedKey, StoreError> {
    let document = Document::read(item)?;
    let revoked_at = is_revoked(item).then(|| read_millis(item, "revoked_at"));
    Ok(ListedKey {
        key_id: read_text(item, "key_id")?.to_owned(),
        name: document.name,
        project_id: document.project_id,
        scopes: document.scopes,
        return_origins: document.return_origins,
        payment_id_prefix: document.payment_id_prefix,
        created_at: read_millis(item, "created_at")?,
        revoked_at: revoked_at.transpose()?,
    })
}
