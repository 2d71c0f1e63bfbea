//! Payments, events, checkout tokens and storefront keys in one DynamoDB table.
//!
//! | `pk` | `sk` | attributes |
//! | --- | --- | --- |
//! | `payment#<project>/<id>` | `payment` | `document`, `version`, `sequence`, `published`, `commit`, and those of the indexes (`due.rs`) |
//! | `payment#<project>/<id>` | `event#<sequence>` | `kind`, `content`: the event's `data` and `time`, `expires_at` |
//! | `payment#<project>/<id>` | `day#<date>` | the attribute of the index of days (`days.rs`) |
//! | `checkout#<SHA-256 of the token>` | `checkout` | `project_id`, `payment_id`, `expires_at` |
//! | `storefront_key#<id>` | `storefront_key` | `document`: the storefront, with the key's SHA-256 (`storefront_keys.rs`) |
//! | `storefront_keys` | `<id>` | `document`, `revoked_at` (`storefront_keys.rs`) |
//! | `order#<project>/<order id>/<storefront>` | `first`, `paid#<id>` | `paid_by`, of `first` only (`orders.rs`) |
//! | `daily#<project>` | `compared`, `reported` | `until` (`progress.rs`) |

mod commit;
mod conditional;
mod days;
mod due;
mod orders;
mod partition_keys;
mod payment_item;
mod progress;
mod published;
mod storefront_keys;
mod transaction;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use ecommpay::fields::ProjectId;
use payments::events::Event;
use payments::model::PaidOrder;
use payments::model::day::Day;
use payments::model::ids::PaymentKey;
use payments::model::timestamp::Timestamp;
use payments::ports::{
    Commit, CommitError, Committed, Due, Index, PaymentStore, StoreError, Stored,
};

pub use self::partition_keys::PartitionKeys;
use self::payment_item::{
    Item, broken, event_sk, payment_pk, read_event, read_number, read_payment_key, read_text, text,
};
use crate::sdk::{OwnUserAgent, describe};

/// The most entries of an index that one call reads.
const PAGE: i32 = 100;

/// The table.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

impl DynamoStore {
    /// Creates a client of the table with this name.
    pub fn new(config: &aws_types::SdkConfig, table: impl Into<String>) -> Self {
        let config = Builder::from(config).interceptor(OwnUserAgent).build();
        Self {
            client: Client::from_conf(config),
            table: table.into(),
        }
    }

    /// Connects before the first event; see [`crate::prewarm`]. Reads an item that does not exist, which
    /// every function may do, so that everything between the function and the table is ready.
    pub async fn prewarm(&self) {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text("nothing"))
            .key("sk", text("nothing"));
        let _ = Box::pin(request.send()).await;
    }

    async fn get(&self, pk: String, sk: &str) -> Result<Option<Item>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .consistent_read(true);
        // Boxed: the SDK's futures are large, and each use case holds several.
        let output = Box::pin(request.send()).await.map_err(failed)?;
        Ok(output.item)
    }
}

impl PaymentStore for DynamoStore {
    async fn load(&self, key: &PaymentKey) -> Result<Option<Stored>, StoreError> {
        let Some(item) = self.get(payment_pk(key), "payment").await? else {
            return Ok(None);
        };
        Ok(Some(Stored {
            payment: serde_json::from_str(read_text(&item, "document")?).map_err(broken)?,
            version: read_number(&item, "version")?,
            published: read_number(&item, "published")?,
            is_first_to_pay: false,
        }))
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, CommitError> {
        self.write_commit(commit).await
    }

    async fn events(&self, key: &PaymentKey, from: u64, to: u64) -> Result<Vec<Event>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(payment_pk(key)))
            .expression_attribute_values(":from", text(event_sk(from)))
            .expression_attribute_values(":to", text(event_sk(to)))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut events = Vec::new();
        while let Some(item) = pages.next().await {
            events.push(read_event(key, &item.map_err(failed)?)?);
        }
        Ok(events)
    }

    async fn mark_published(&self, key: &PaymentKey, through: u64) -> Result<u64, StoreError> {
        self.mark(key, through).await
    }

    async fn due(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
        after: Option<&Due>,
    ) -> Result<Vec<Due>, StoreError> {
        self.due_page(index, shard, due_by, after).await
    }

    async fn of_day(
        &self,
        project_id: ProjectId,
        day: Day,
        shard: u8,
        after: Option<&PaymentKey>,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(days::INDEX)
            .key_condition_expression("#day = :day")
            .expression_attribute_names("#day", days::INDEX)
            .expression_attribute_values(":day", text(days::partition(project_id, day, shard)))
            .set_exclusive_start_key(after.map(|last| days::row(last, day)))
            .limit(PAGE)
            .send()
            .await
            .map_err(failed)?;
        page.items().iter().map(read_payment_key).collect()
    }

    async fn paid_by(&self, order: PaidOrder<'_>) -> Result<Vec<PaymentKey>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(orders::pk(order)))
            .consistent_read(true)
            .limit(PAGE);
        let page = Box::pin(request.send()).await.map_err(failed)?;
        let items = page.items().iter();
        let read = |item| orders::read(order.project_id, item);
        // The first payment can have a later entry as well.
        let keys: BTreeSet<PaymentKey> = items.map(read).collect::<Result<_, _>>()?;
        Ok(keys.into_iter().collect())
    }

    async fn payment_of_token(&self, token_hash: &str) -> Result<Option<PaymentKey>, StoreError> {
        let Some(item) = self
            .get(format!("checkout#{token_hash}"), "checkout")
            .await?
        else {
            return Ok(None);
        };
        let project_id = ProjectId::new(read_number(&item, "project_id")?).map_err(broken)?;
        Ok(Some(PaymentKey::new(
            project_id,
            read_text(&item, "payment_id")?,
        )))
    }
}

fn failed<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> StoreError {
    StoreError(describe(&error))
}
