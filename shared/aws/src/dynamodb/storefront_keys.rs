//! The keys of storefronts, and the list of them.
//!
//! | `pk` | `sk` | attributes |
//! | --- | --- | --- |
//! | `storefront_key#<id>` | `storefront_key` | `document`: the storefront, with the key's SHA-256 |
//! | `storefront_keys` | `<id>` | `document`: [`ListedKey`]; `revoked_at` once it is |
//!
//! Both are written at once. The first is what each request reads, alone and as it is at that
//! moment; it goes when the key is revoked, which so takes effect at once. The second stays, so that
//! a key can be told from one that never was, and its id is never given again. All keys being in one
//! partition, a list is one query, and costs nothing of what payments need: a scan would read them
//! all.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};

use super::payment_item::{Item, broken, moment, read_moment, read_text, text};
use super::transaction::{self, NotWritten};
use super::{DynamoStore, failed};
use payments::model::storefront::{ListedKey, Storefront};
use payments::model::timestamp::Timestamp;
use payments::ports::{StoreError, StorefrontStore};

const SK: &str = "storefront_key";
const LIST: &str = "storefront_keys";

fn pk(key_id: &str) -> String {
    format!("storefront_key#{key_id}")
}

impl StorefrontStore for DynamoStore {
    async fn storefront(&self, key_id: &str) -> Result<Option<Storefront>, StoreError> {
        let item = self.get(pk(key_id), SK).await?;
        item.map(|item| serde_json::from_str(read_text(&item, "document")?).map_err(broken))
            .transpose()
    }
}

impl DynamoStore {
    /// Adds a storefront's key; gives whether its id is new. If not, nothing is written.
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
            .item("pk", text(LIST))
            .item("sk", text(&storefront.key_id))
            .item("document", text(document(&listed)?));
        let new = |put: PutBuilder| {
            let put = put
                .table_name(&self.table)
                .condition_expression("attribute_not_exists(pk)");
            let put = put.build().map_err(broken)?;
            Ok::<_, StoreError>(TransactWriteItem::builder().put(put).build())
        };
        self.unless_refused(vec![new(key)?, new(entry)?]).await
    }

    /// Every key that was ever made, by its id.
    pub async fn storefront_keys(&self) -> Result<Vec<ListedKey>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :list")
            .expression_attribute_values(":list", text(LIST))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut keys = Vec::new();
        while let Some(item) = pages.next().await {
            keys.push(read(&item.map_err(failed)?)?);
        }
        Ok(keys)
    }

    /// Revokes a key: from now on it is as unknown as one that never was. Gives whether it was there
    /// and not yet revoked; if not, nothing is written.
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
            .map_err(broken)?;
        let entry = Update::builder()
            .table_name(&self.table)
            .key("pk", text(LIST))
            .key("sk", text(key_id))
            .update_expression("SET #revoked = :now")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(#revoked)")
            .expression_attribute_names("#revoked", "revoked_at")
            .expression_attribute_values(":now", moment(at))
            .build()
            .map_err(broken)?;
        let items = [
            TransactWriteItem::builder().delete(key).build(),
            TransactWriteItem::builder().update(entry).build(),
        ];
        self.unless_refused(items.into()).await
    }

    /// Writes all of it, or gives `false` and writes nothing where a condition does not hold.
    async fn unless_refused(&self, items: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        match transaction::write(&self.client, items).await {
            Ok(()) => Ok(true),
            Err(NotWritten::LastRefused | NotWritten::Conflict) => Ok(false),
            Err(NotWritten::Failed(error)) => Err(error),
        }
    }
}

fn document(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(broken)
}

fn read(item: &Item) -> Result<ListedKey, StoreError> {
    let listed = serde_json::from_str(read_text(item, "document")?).map_err(broken)?;
    let revoked = item.contains_key("revoked_at");
    let revoked_at = revoked.then(|| read_moment(item, "revoked_at"));
    Ok(ListedKey {
        revoked_at: revoked_at.transpose()?,
        ..listed
    })
}
