//! Writes a change completely or not at all: the payment, and its new events, days (`days.rs`), checkout token and paid
//! order (`paid_orders.rs`). A change of the payment item alone is an update. Any other change is a transaction.
//!
//! The SDK repeats a call if the answer was lost, even if the first try wrote the item. For a repeated transaction,
//! DynamoDB returns the answer of the first try. The condition of a repeated update fails. Therefore each commit stores
//! a random id in the attribute `commit`. If the stored id is the id of this commit, the first try succeeded
//! (`shared/decisions/state/0002-retried-writes.md`).

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use payments::model::day::Day;
use payments::ports::{Commit, CommitError, Committed, Index, StoreError};

use super::attributes::{item_error, millis, number, read_text, text};
use super::conditional::{self, NotUpdated};
use super::due::{NEXT, OUTBOX, index_of, partition_of};
use super::payment_item::{PAYMENT_SK, payment_pk};
use super::transaction::{self, NotWritten};
use super::{DynamoStore, checkout_tokens, days, events, paid_orders};

impl DynamoStore {
    pub(super) async fn write_commit(&self, commit: Commit<'_>) -> Result<Committed, CommitError> {
        let commit_id = commit_id()?;
        let before = commit.over.map(|stored| &stored.payment);
        let change = commit.change;
        let order = paid_orders::writes(&self.table, before, &change.payment)?;
        let days = days::added(before, &change.payment);
        let is_alone = order.is_none()
            && change.events.is_empty()
            && days.is_empty()
            && commit.token_hash.is_none();
        if is_alone {
            let update = self.payment_update(commit, &commit_id)?;
            self.update_alone(update, &commit_id).await?;
            return Ok(Committed::default());
        }
        let write = async |order| {
            let items = self.items(commit, &days, &commit_id, order);
            transaction::write(&self.client, items.map_err(NotWritten::Failed)?).await
        };
        let Some(order) = order else {
            write(None).await?;
            return Ok(Committed::default());
        };
        let is_first_to_pay = match write(Some(put_item(order.first))).await {
            Err(NotWritten::LastConditionFailed) => {
                write(Some(update_item(order.later))).await?;
                false
            }
            written => written.map(|()| true)?,
        };
        Ok(Committed { is_first_to_pay })
    }

    fn payment_update(&self, commit: Commit<'_>, commit_id: &str) -> Result<Update, StoreError> {
        let Commit { change, next, .. } = commit;
        let over = commit.over.map(|stored| stored.version);
        let payment = &change.payment;
        let mut set = "SET #document = :document, #version = :written, #sequence = :sequence, \
                       #published = if_not_exists(#published, :none), #commit = :commit"
            .to_owned();
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(payment_pk(&payment.key())))
            .key("sk", text(PAYMENT_SK))
            .expression_attribute_names("#document", "document")
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#published", "published")
            .expression_attribute_names("#commit", "commit")
            .expression_attribute_names("#next", NEXT.name)
            .expression_attribute_names("#next_at", NEXT.since)
            .expression_attribute_values(":document", text(commit.document()))
            .expression_attribute_values(":written", number(over.unwrap_or(0) + 1))
            .expression_attribute_values(":sequence", number(commit.outbox_end()))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":commit", text(commit_id));
        if commit.is_in_outbox() {
            // An existing entry of the index keeps its time. So this time is never later than the commit of the oldest
            // unpublished event.
            set += ", #outbox = :outbox, #since = if_not_exists(#since, :now)";
            let partition = partition_of(Index::Outbox, &payment.key());
            update = update
                .expression_attribute_names("#outbox", OUTBOX.name)
                .expression_attribute_names("#since", OUTBOX.since)
                .expression_attribute_values(":outbox", text(partition))
                .expression_attribute_values(":now", millis(payment.updated_at()));
        }
        match next.map(|next| index_of(next, payment.project_id())) {
            None => set += " REMOVE #next, #next_at",
            Some((index, at)) => {
                set += ", #next = :next, #next_at = :next_at";
                let partition = partition_of(index, &payment.key());
                update = update
                    .expression_attribute_values(":next", text(partition))
                    .expression_attribute_values(":next_at", millis(at));
            }
        }
        let update = match over {
            None => {
                set = set.replacen("SET ", "SET #day = :day, ", 1);
                update
                    .expression_attribute_names("#day", days::INDEX)
                    .expression_attribute_values(":day", text(days::partition_of_creation(payment)))
                    .condition_expression("attribute_not_exists(#version)")
            }
            Some(version) => update
                .condition_expression("#version = :read")
                .expression_attribute_values(":read", number(version)),
        };
        update.update_expression(set).build().map_err(item_error)
    }

    async fn update_alone(&self, update: Update, commit_id: &str) -> Result<(), CommitError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values);
        match conditional::update(request).await {
            Ok(_) => Ok(()),
            // An earlier try of this commit wrote the item, and the answer to that try was lost.
            Err(NotUpdated::ConditionFailed(Some(item)))
                if read_text(&item, "commit").ok() == Some(commit_id) =>
            {
                Ok(())
            }
            Err(NotUpdated::ConditionFailed(_) | NotUpdated::Busy) => Err(CommitError::Conflict),
            Err(NotUpdated::Failed(error)) => Err(error.into()),
        }
    }

    /// Returns the items of a transaction. The item of the order is the last item, because
    /// [`NotWritten::LastConditionFailed`] is about the last item.
    fn items(
        &self,
        commit: Commit<'_>,
        days: &[Day],
        commit_id: &str,
        order: Option<TransactWriteItem>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let change = commit.change;
        let update = self.payment_update(commit, commit_id)?;
        let committed_at = change.payment.updated_at();
        let mut items = vec![update_item(update)];
        for event in &change.events {
            items.push(put_item(events::put(&self.table, event, committed_at)?));
        }
        for day in days {
            let update = days::update(&self.table, &change.payment.key(), *day)?;
            items.push(update_item(update));
        }
        if let Some(token_hash) = commit.token_hash {
            let put = checkout_tokens::put(&self.table, token_hash, &change.payment)?;
            items.push(put_item(put));
        }
        items.extend(order);
        Ok(items)
    }
}

fn put_item(put: Put) -> TransactWriteItem {
    TransactWriteItem::builder().put(put).build()
}

fn update_item(update: Update) -> TransactWriteItem {
    TransactWriteItem::builder().update(update).build()
}

fn commit_id() -> Result<String, StoreError> {
    let random = getrandom::u64().map_err(item_error)?;
    Ok(format!("{random:016x}"))
}
