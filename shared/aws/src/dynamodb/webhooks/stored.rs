//! Counts and deletes what is stored about an endpoint. Only operators do this.

use aws_sdk_dynamodb::types::Select;
use futures_util::{TryStreamExt, stream};
use payments::Timestamp;
use payments::model::webhook::EndpointId;
use payments::ports::{DeliveryStore, StoreError};

use super::super::attributes::{Item, expiry, text};
use super::super::conditional::{self, NotUpdated};
use super::super::{PAGE, failed};
use super::deliveries::endpoint_pk;
use super::{RETENTION, WebhookDeliveries, backlog, dead_letters, health};

/// The maximum number of items that are deleted in parallel.
const CONCURRENCY: usize = 16;

/// What waits for an endpoint, and what was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredCounts {
    /// The number of payments with waiting events.
    pub waiting: u64,
    /// The number of dead letters.
    pub dead_letters: u64,
}

impl WebhookDeliveries {
    /// Counts the items of an endpoint.
    pub async fn counts(&self, id: &EndpointId) -> Result<StoredCounts, StoreError> {
        let (waiting, dead_letters) = tokio::try_join!(
            self.count(id, backlog::SK_PREFIX),
            self.count(id, dead_letters::SK_PREFIX),
        )?;
        Ok(StoredCounts {
            waiting,
            dead_letters,
        })
    }

    async fn count(&self, id: &EndpointId, prefix: &str) -> Result<u64, StoreError> {
        let (mut count, mut start_key) = (0, None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", text(endpoint_pk(id)))
                .expression_attribute_values(":prefix", text(prefix))
                .select(Select::Count)
                .consistent_read(true)
                .set_exclusive_start_key(start_key);
            let page = Box::pin(page.send()).await.map_err(failed)?;
            count += u64::try_from(page.count()).unwrap_or_default();
            start_key = page.last_evaluated_key;
            if start_key.is_none() {
                return Ok(count);
            }
        }
    }

    /// Deletes the backlog and the dead letters of a removed endpoint. Returns the number of deleted items. The endpoint
    /// must be switched off and removed before.
    ///
    /// The health stays until it expires. A delivery that was running when the endpoint was removed finds in it that
    /// the endpoint is switched off. What such a delivery still writes also expires.
    pub async fn forget(&self, id: &EndpointId, now: Timestamp) -> Result<u64, StoreError> {
        self.let_health_expire(id, now).await?;
        let mut deleted = 0;
        for prefix in [backlog::SK_PREFIX, dead_letters::SK_PREFIX] {
            loop {
                let keys = self.keys(id, prefix).await?;
                if keys.is_empty() {
                    break;
                }
                deleted += keys.len() as u64;
                stream::iter(keys.into_iter().map(Ok::<Item, StoreError>))
                    .try_for_each_concurrent(CONCURRENCY, |key| self.delete_key(key))
                    .await?;
            }
        }
        let listed = self.listed().await?;
        for listed in listed.iter().filter(|listed| listed.key.id == *id) {
            self.unlist(listed).await?;
        }
        Ok(deleted)
    }

    async fn let_health_expire(&self, id: &EndpointId, now: Timestamp) -> Result<(), StoreError> {
        let request = self
            .update(endpoint_pk(id), health::SK)
            .update_expression("SET expires_at = :expires_at")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":expires_at", expiry(now.after(RETENTION)));
        match conditional::update(request).await {
            Ok(_) | Err(NotUpdated::ConditionFailed(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the keys of at most one page of items.
    async fn keys(&self, id: &EndpointId, prefix: &str) -> Result<Vec<Item>, StoreError> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .projection_expression("pk, sk")
            .expression_attribute_values(":pk", text(endpoint_pk(id)))
            .expression_attribute_values(":prefix", text(prefix))
            .consistent_read(true)
            .limit(PAGE);
        let page = Box::pin(page.send()).await.map_err(failed)?;
        Ok(page.items.unwrap_or_default())
    }

    async fn delete_key(&self, key: Item) -> Result<(), StoreError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key));
        Box::pin(request.send()).await.map_err(failed)?;
        Ok(())
    }
}
