//! Stores the published mark of a payment. This mark is a sequence number: all events up to this number are published.
//! Later events can also be published, if a function sent them but crashed before it moved the mark.
//!
//! The attribute `published` of the payment item holds the mark. The first commit of a payment sets the mark to 0, and
//! no later commit changes the mark. So a commit that has read an older mark does not move the mark back.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use payments::model::ids::PaymentKey;
use payments::ports::StoreError;

use super::DynamoStore;
use super::attributes::{Item, number, read_number, text};
use super::conditional::{self, NotUpdated, retry_while_busy};
use super::due::OUTBOX;
use super::payment_item::{PAYMENT_SK, payment_pk};

impl DynamoStore {
    pub(super) async fn mark(&self, key: &PaymentKey, through: u64) -> Result<u64, StoreError> {
        match retry_while_busy(|| self.move_mark(key, through)).await {
            Ok(Some(before)) => read_number(&before, "published"),
            // Another publisher has already moved the mark to `through` or further.
            Ok(None) | Err(NotUpdated::ConditionFailed(_)) => Ok(through),
            Err(error) => Err(error.into()),
        }
    }

    async fn move_mark(&self, key: &PaymentKey, through: u64) -> Result<Option<Item>, NotUpdated> {
        match self.mark_all(key, through).await {
            Err(NotUpdated::ConditionFailed(Some(item)))
                if read_number(&item, "published")? < through =>
            {
                self.mark_some(key, through).await
            }
            result => result,
        }
    }

    /// Moves the mark to `through` and removes the payment from the outbox index. The condition fails if `through` is
    /// not the `Commit::outbox_end` of the last commit.
    async fn mark_all(&self, key: &PaymentKey, through: u64) -> Result<Option<Item>, NotUpdated> {
        let request = self
            .mark_update(key, through)
            .update_expression("SET #published = :through REMOVE #outbox, #since")
            .condition_expression("#sequence = :through")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#outbox", OUTBOX.name)
            .expression_attribute_names("#since", OUTBOX.since);
        conditional::update(request).await
    }

    /// Moves the mark to `through` and leaves the payment in the outbox index.
    async fn mark_some(&self, key: &PaymentKey, through: u64) -> Result<Option<Item>, NotUpdated> {
        let request = self
            .mark_update(key, through)
            .update_expression("SET #published = :through")
            .condition_expression("#published < :through");
        conditional::update(request).await
    }

    fn mark_update(&self, key: &PaymentKey, through: u64) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(payment_pk(key)))
            .key("sk", text(PAYMENT_SK))
            .return_values(ReturnValue::UpdatedOld)
            .expression_attribute_names("#published", "published")
            .expression_attribute_values(":through", number(through))
    }
}
