//! Stores the data of daily runs: the results of the parts of a run, and digests of the operations that the platform
//! lists. A run has one partition for the results, and one partition for the digests of each shard.

use std::time::Duration;

use payments::Timestamp;
use payments::ports::{Run, RunStore, StoreError};

use super::attributes::{Item, expiry, read_text, text};
use super::conditional::{self, NotUpdated, retry_while_busy};
use super::unreadable::unreadable;
use super::{DynamoStore, failed};

/// The data of a run expires this long after it was written. A run ends after some minutes. The data is kept longer, so
/// that an operator can examine a run that did not end.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3_600);
const CONTENT: &str = "content";

fn pk(run: &Run, shard: Option<u8>) -> String {
    let of_run = format!("run#{}#{}", run.project_id, run.id);
    match shard {
        Some(shard) => format!("{of_run}#{shard:02}"),
        None => of_run,
    }
}

fn read_content(item: &Item, pk: &str, sk: &str) -> Result<String, StoreError> {
    let content = read_text(item, CONTENT).map(str::to_owned);
    content.map_err(|error| unreadable(pk, sk, error))
}

impl RunStore for DynamoStore {
    async fn put(
        &self,
        run: &Run,
        shard: Option<u8>,
        key: &str,
        content: String,
    ) -> Result<String, StoreError> {
        let pk = pk(run, shard);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(&pk))
            .key("sk", text(key))
            .update_expression("SET #content = :content, #expires_at = :expires_at")
            .condition_expression("attribute_not_exists(#content)")
            .expression_attribute_names("#content", CONTENT)
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_values(":expires_at", expiry(Timestamp::now().after(KEPT_FOR)))
            .expression_attribute_values(":content", text(&content));
        match retry_while_busy(|| conditional::update(request.clone())).await {
            Ok(_) => Ok(content),
            Err(NotUpdated::ConditionFailed(Some(item))) => read_content(&item, &pk, key),
            Err(error) => Err(error.into()),
        }
    }

    async fn contents(
        &self,
        run: &Run,
        shard: Option<u8>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let pk = pk(run, shard);
        let (mut contents, mut start_key) = (Vec::new(), None);
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(&pk))
                .consistent_read(true)
                .set_exclusive_start_key(start_key);
            let page = Box::pin(request.send()).await.map_err(failed)?;
            for item in page.items() {
                let key = read_text(item, "sk")?.to_owned();
                let content = read_content(item, &pk, &key)?;
                contents.push((key, content));
            }
            start_key = page.last_evaluated_key;
            if start_key.is_none() {
                return Ok(contents);
            }
        }
    }
}
