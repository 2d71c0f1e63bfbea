//! Stores the keys of storefronts, and the list of these keys.
//!
//! Each key has two items, written in one transaction. A request reads only the item `storefront_key#<id>`, with a
//! consistent read. A revocation deletes this item and is therefore effective immediately. The item in the list stays,
//! so that no later key gets the same id. See `shared/decisions/protocol/0016-storefront-keys.md`.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};
use payments::model::storefront::{ListedKey, Storefront};
use payments::model::timestamp::Timestamp;
use payments::ports::{StoreError, StorefrontStore};

use super::attributes::{Item, item_error, millis, read_millis, read_text, text};
use super::transaction::{self, NotWritten};
use super::{DynamoStore, failed};

const SK: &str = "storefront_key";
const LIST_PK: &str = "storefront_keys";

fn pk(key_id: &str) -> String {
    format!("storefront_key#{key_id}")
}

impl StorefrontStore for DynamoStore {
    async fn storefront(&self, key_id: &str) -> Result<Option<Storefront>, StoreError> {
        let item = self.get(pk(key_id), SK).await?;
        item.map(|item| serde_json::from_str(read_text(&item, "document")?).map_err(item_error))
            .transpose()
    }
}

impl DynamoStore {
    /// Adds the key of a storefront. Returns false and writes nothing if an earlier key had the same id, or if another
    /// transaction is writing a key with this id.
    pub async fn add_storefront_key(
        &self,
        storefront: &Storefront,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let listed = ListedKey::new(storefront, at);
        let key = Put::builder()
            .item("pk", text(pk(&storefront.key_id)))
            .item("sk", text(SK))
            .item("document", text(document(storefront)?));
        let entry = Put::builder()
            .item("pk", text(LIST_PK))
            .item("sk", text(&storefront.key_id))
            .item("document", text(document(&listed)?));
        let new = |put: PutBuilder| {
            let put = put
                .table_name(&self.table)
                .condition_expression("attribute_not_exists(pk)");
            let put = put.build().map_err(item_error)?;
            Ok::<_, StoreError>(TransactWriteItem::builder().put(put).build())
        };
        self.write_if_conditions_hold(vec![new(key)?, new(entry)?])
            .await
    }

    /// Returns every key that was ever created, revoked keys included, sorted by id.
    pub async fn storefront_keys(&self) -> Result<Vec<ListedKey>, StoreError> {
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :list")
            .expression_attribute_values(":list", text(LIST_PK))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut keys = Vec::new();
        while let Some(item) = items.next().await {
            keys.push(read(&item.map_err(failed)?)?);
        }
        Ok(keys)
    }

    /// Revokes a key. Returns false and writes nothing if the key does not exist or is already revoked, or if another
    /// transaction is writing the key.
    pub async fn revoke_storefront_key(
        &self,
        key_id: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = Delete::builder()
            .table_name(&self.table)
            .key("pk", text(pk(key_id)))
            .key("sk", text(SK))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(item_error)?;
        let entry = Update::builder()
            .table_name(&self.table)
            .key("pk", text(LIST_PK))
            .key("sk", text(key_id))
            .update_expression("SET #revoked = :now")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(#revoked)")
            .expression_attribute_names("#revoked", "revoked_at")
            .expression_attribute_values(":now", millis(at))
            .build()
            .map_err(item_error)?;
        let items = [
            TransactWriteItem::builder().delete(key).build(),
            TransactWriteItem::builder().update(entry).build(),
        ];
        self.write_if_conditions_hold(items.into()).await
    }

    /// Writes items in one transaction. Returns false and writes nothing if a condition fails, or if another
    /// transaction is writing one of the items.
    async fn write_if_conditions_hold(
        &self,
        items: Vec<TransactWriteItem>,
    ) -> Result<bool, StoreError> {
        match transaction::write(&self.client, items).await {
            Ok(()) => Ok(true),
            Err(NotWritten::LastConditionFailed | NotWritten::Conflict) => Ok(false),
            Err(NotWritten::Failed(error)) => Err(error),
        }
    }
}

fn document(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(item_error)
}

fn read(item: &Item) -> Result<ListedKey, StoreError> {
    let listed = serde_json::from_str(read_text(item, "document")?).map_err(item_error)?;
    let revoked = item.contains_key("revoked_at");
    let revoked_at = revoked.then(|| read_millis(item, "revoked_at"));
    Ok(ListedKey {
        revoked_at: revoked_at.transpose()?,
        ..listed
    })
}
