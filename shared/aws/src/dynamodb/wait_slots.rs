//! Stores the wait slots. A request may wait only while it holds a slot. The number of slots limits how many instances
//! of a function wait (`shared/decisions/functions/0034-wait-slots.md`).

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use payments::model::timestamp::Timestamp;
use payments::ports::StoreError;

use super::DynamoStore;
use super::attributes::{millis, text};
use super::conditional::{self, NotUpdated};

const SK: &str = "wait";

fn pk(slot: &str) -> String {
    format!("wait#{slot}")
}

impl DynamoStore {
    fn update_of_slot(&self, slot: &str, until: Timestamp) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(pk(slot)))
            .key("sk", text(SK))
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":until", millis(until))
    }

    /// Claims a slot until the time `until`. Returns false if another request holds the slot. If the function crashes,
    /// the slot is free again after `until`.
    pub async fn claim_wait_slot(
        &self,
        slot: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let request = self
            .update_of_slot(slot, until)
            .update_expression("SET #until = :until")
            .condition_expression("attribute_not_exists(#until) OR #until < :now")
            .expression_attribute_values(":now", millis(now));
        match conditional::update(request).await {
            Ok(_) => Ok(true),
            Err(NotUpdated::ConditionFailed(_) | NotUpdated::Busy) => Ok(false),
            Err(NotUpdated::Failed(error)) => Err(error),
        }
    }

    /// Frees a slot that was claimed until `until`. Does nothing if another request has claimed the slot since then.
    pub async fn release_wait_slot(&self, slot: &str, until: Timestamp) -> Result<(), StoreError> {
        let request = self
            .update_of_slot(slot, until)
            .update_expression("REMOVE #until")
            .condition_expression("#until = :until");
        match conditional::update(request).await {
            Ok(_) | Err(NotUpdated::ConditionFailed(_) | NotUpdated::Busy) => Ok(()),
            Err(NotUpdated::Failed(error)) => Err(error),
        }
    }
}
