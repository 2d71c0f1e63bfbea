//! Payments, events, checkout tokens and storefront keys in one DynamoDB table.
//!
//! | `pk` | `sk` | attributes |
//! | --- | --- | --- |
//! | `payment#<project>/<id>` | `payment` | `document`, `version`, `sequence`, `published`, `commit`, and those of the indexes (`dynamodb/due.rs`) |
//! | `payment#<project>/<id>` | `event#<sequence>` | `kind`, `content`: the event's `data` and `time`, `expires_at` |
//! | `payment#<project>/<id>` | `day#<date>` | that of the index of days (`dynamodb/days.rs`) |
//! | `checkout#<SHA-256 of the token>` | `checkout` | `project_id`, `payment_id`, `expires_at` |
//! | `storefront_key#<id>` | `storefront_key` | `document`: with the key's SHA-256, as long as it is not revoked |
//! | `storefront_keys` | `<id>` | `document`, `revoked_at` (`dynamodb/storefront_keys.rs`) |
//! | `order#<project>/<order id>/<storefront>` | `first`, `paid#<id>` | of the first: `paid_by` (`dynamodb/orders.rs`) |
//! | `daily#<project>` | `compared`, `reported` | `until` |
//!
//! A change and all that belongs to it is one write: a plain update where there is nothing beside
//! the payment, else a transaction. The events stand beside the payment and not in it, so that the payment's item
//! stays small however long a queue is down. `published` is written apart from the rest and is
//! never part of a commit, so a commit that has read an older mark does not take it back.
//!
//! The SDK repeats a call whose answer was lost, and the repeat meets what the first attempt wrote.
//! A transaction carries a `ClientRequestToken`: the SDK makes it once for a call, before the first
//! attempt, and sends the same one with each, so DynamoDB answers a repeat as it did the first. An
//! update has no such thing and would seem to have lost against another writer; it is told apart by
//! `commit`, a random id of each commit, which a failed condition brings back.

mod days;
mod due;
mod item;
mod orders;
mod places;
mod progress;
mod storefront_keys;
mod transaction;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use ecommpay::fields::ProjectId;

use self::item::{
    Item, broken, event_sk, expiry, moment, number, payment_pk, read_event, read_moment,
    read_number, read_payment_key, read_text, text,
};
pub use self::places::Places;
use self::transaction::NotWritten;
use super::aws::{OwnUserAgent, describe};
use crate::backoff;
use crate::day::Day;
use crate::decide::Change;
use crate::event::Event;
use crate::ids::PaymentKey;
use crate::model::{PaidOrder, Payment};
use crate::ports::{
    Commit, CommitError, Committed, Due, Index, PaymentStore, StoreError, Stored, SystemClock,
};
use crate::timestamp::Timestamp;

/// How long a sent event can be looked up.
const EVENTS_KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);
/// How long a checkout's token leads to its payment.
const TOKENS_KEPT: Duration = Duration::from_secs(31 * 24 * 3_600);
/// How many entries of an index are read at once.
const PAGE: i32 = 100;

/// The table.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

impl DynamoStore {
    /// The table of that name.
    pub fn new(config: &aws_types::SdkConfig, table: impl Into<String>) -> Self {
        let config = Builder::from(config).interceptor(OwnUserAgent).build();
        Self {
            client: Client::from_conf(config),
            table: table.into(),
        }
    }

    /// Opens a connection before the first event; see [`crate::adapters::opening`]. It reads a key
    /// that no item has, as far as a function may read anyway, so that what is between us and the
    /// table is awake as well.
    pub async fn open(&self) {
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
        // The SDK's futures are large, and each use case has several of them: so they lie apart.
        let output = Box::pin(request.send()).await.map_err(failed)?;
        Ok(output.item)
    }

    fn payment_update(&self, commit: Commit<'_>, commit_id: &str) -> Result<Update, StoreError> {
        let Commit { change, next, .. } = commit;
        let over = commit.over.map(|stored| stored.version);
        let payment = &change.payment;
        let document = serde_json::to_string(payment).map_err(broken)?;
        let mut set = "SET #document = :document, #version = :written, #sequence = :sequence, \
                       #published = if_not_exists(#published, :none), #commit = :commit"
            .to_owned();
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(payment_pk(&payment.key())))
            .key("sk", text("payment"))
            .expression_attribute_names("#document", "document")
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#published", "published")
            .expression_attribute_names("#commit", "commit")
            .expression_attribute_names("#next", Index::Overdue.name())
            .expression_attribute_names("#next_at", Index::Overdue.since())
            .expression_attribute_values(":document", text(document))
            .expression_attribute_values(":written", number(over.unwrap_or(0) + 1))
            .expression_attribute_values(":sequence", number(payment.sequence()))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":commit", text(commit_id));
        if !change.events.is_empty() {
            // The age is that of the oldest event, so an earlier one stays.
            set += ", #unsent = :unsent, #since = if_not_exists(#since, :now)";
            update = update
                .expression_attribute_names("#unsent", Index::Unsent.name())
                .expression_attribute_names("#since", Index::Unsent.since())
                .expression_attribute_values(
                    ":unsent",
                    text(Index::Unsent.shard_of(&payment.key())),
                )
                .expression_attribute_values(":now", moment(payment.updated_at()));
        }
        match next.map(|next| Index::of(next, payment.project_id())) {
            None => set += " REMOVE #next, #next_at",
            Some((index, at)) => {
                set += ", #next = :next, #next_at = :next_at";
                update = update
                    .expression_attribute_values(":next", text(index.shard_of(&payment.key())))
                    .expression_attribute_values(":next_at", moment(at));
            }
        }
        let update = match over {
            None => update.condition_expression("attribute_not_exists(#version)"),
            Some(version) => update
                .condition_expression("#version = :read")
                .expression_attribute_values(":read", number(version)),
        };
        update.update_expression(set).build().map_err(broken)
    }

    fn event_put(&self, event: &Event, change: &Change) -> Result<Put, StoreError> {
        let kept_until = change.payment.updated_at().after(EVENTS_KEPT);
        Put::builder()
            .table_name(&self.table)
            .item("pk", text(payment_pk(&event.key)))
            .item("sk", text(event_sk(event.sequence)))
            .item("kind", text(event.kind.as_str()))
            .item("content", text(&event.kept))
            .item("expires_at", expiry(kept_until))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(broken)
    }

    fn token_put(&self, token_hash: &str, payment: &Payment) -> Result<Put, StoreError> {
        let order = payment.order();
        let kept_from = order.map_or(payment.created_at(), |order| order.expires_at);
        let kept_until = kept_from.after(TOKENS_KEPT);
        Put::builder()
            .table_name(&self.table)
            .item("pk", text(format!("checkout#{token_hash}")))
            .item("sk", text("checkout"))
            .item("project_id", number(u64::from(payment.project_id().get())))
            .item("payment_id", text(payment.payment_id()))
            .item("expires_at", expiry(kept_until))
            .build()
            .map_err(broken)
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
        match conditional(request).await? {
            Written::Yes(_) => Ok(()),
            // Ours, by an attempt whose answer was lost.
            Written::Refused(Some(item)) if read_text(&item, "commit").ok() == Some(commit_id) => {
                Ok(())
            }
            Written::Refused(_) | Written::Busy => Err(CommitError::Conflict),
        }
    }

    /// Marks everything up to `through` as sent, and clears the payment from the index, unless
    /// there is more by now.
    async fn mark_all(&self, key: &PaymentKey, through: u64) -> Result<Written, StoreError> {
        let request = self
            .update_mark(key, through)
            .update_expression("SET #published = :through REMOVE #unsent, #since")
            .condition_expression("#sequence = :through")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#unsent", Index::Unsent.name())
            .expression_attribute_names("#since", Index::Unsent.since());
        conditional(request).await
    }

    /// Marks everything up to `through` as sent, and leaves the payment in the index.
    async fn mark_some(&self, key: &PaymentKey, through: u64) -> Result<Written, StoreError> {
        let request = self
            .update_mark(key, through)
            .update_expression("SET #published = :through")
            .condition_expression("#published < :through");
        conditional(request).await
    }

    fn update_mark(&self, key: &PaymentKey, through: u64) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(payment_pk(key)))
            .key("sk", text("payment"))
            .return_values(ReturnValue::UpdatedOld)
            .expression_attribute_names("#published", "published")
            .expression_attribute_values(":through", number(through))
    }

    /// The items of a commit that is a transaction: the payment, its events, days and token, and
    /// last what is written of its order.
    fn items(
        &self,
        commit: Commit<'_>,
        days: &[Day],
        commit_id: &str,
        of_order: Option<Put>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let change = commit.change;
        let update = self.payment_update(commit, commit_id)?;
        let mut puts = Vec::new();
        for event in &change.events {
            puts.push(self.event_put(event, change)?);
        }
        for day in days {
            puts.push(days::put(&self.table, &change.payment.key(), *day)?);
        }
        if let Some(token_hash) = commit.token_hash {
            puts.push(self.token_put(token_hash, &change.payment)?);
        }
        puts.extend(of_order);
        let put = |put| TransactWriteItem::builder().put(put).build();
        let mut items = vec![TransactWriteItem::builder().update(update).build()];
        items.extend(puts.into_iter().map(put));
        Ok(items)
    }
}

/// What became of a conditional update.
enum Written {
    /// With the attributes that it changed, as they were, if they were asked for.
    Yes(Option<Item>),
    /// The condition does not hold; with the item as it is.
    Refused(Option<Item>),
    /// A transaction is writing this item at this very moment.
    Busy,
}

async fn conditional(update: UpdateItemFluentBuilder) -> Result<Written, StoreError> {
    let request = update
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = match Box::pin(request.send()).await {
        Ok(output) => return Ok(Written::Yes(output.attributes)),
        Err(error) => error,
    };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
            Ok(Written::Refused(refused.item().cloned()))
        }
        Some(UpdateItemError::TransactionConflictException(_)) => Ok(Written::Busy),
        _ => Err(failed(error)),
    }
}

/// A random id.
fn commit_id() -> Result<String, StoreError> {
    let random = getrandom::u64().map_err(broken)?;
    Ok(format!("{random:016x}"))
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
        let commit_id = commit_id()?;
        let before = commit.over.map(|stored| &stored.payment);
        let change = commit.change;
        let order = orders::puts(&self.table, before, &change.payment)?;
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
        let write = async |of_order| {
            let items = self.items(commit, &days, &commit_id, of_order);
            transaction::write(&self.client, items.map_err(NotWritten::Failed)?).await
        };
        let Some(order) = order else {
            write(None).await?;
            return Ok(Committed::default());
        };
        let is_first_to_pay = match write(Some(order.first)).await {
            Err(NotWritten::LastRefused) => {
                write(Some(order.later)).await?;
                false
            }
            written => written.map(|()| true)?,
        };
        Ok(Committed { is_first_to_pay })
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
        for attempt in 0..backoff::ATTEMPTS {
            let written = match self.mark_all(key, through).await? {
                Written::Refused(Some(item)) if read_number(&item, "published")? < through => {
                    self.mark_some(key, through).await?
                }
                other => other,
            };
            match written {
                Written::Yes(Some(before)) => return read_number(&before, "published"),
                // Another publisher was faster.
                Written::Yes(None) | Written::Refused(_) => return Ok(through),
                Written::Busy => backoff::pause(&SystemClock, attempt).await,
            }
        }
        Err(StoreError("too many write one payment at once".into()))
    }

    async fn due(
        &self,
        index: Index,
        shard: u8,
        before: Timestamp,
        after: Option<&Due>,
    ) -> Result<Vec<Due>, StoreError> {
        let shard = index.shard(shard);
        let behind = after.map(|last| {
            Item::from([
                ("pk".to_owned(), text(payment_pk(&last.key))),
                ("sk".to_owned(), text("payment")),
                (index.name().to_owned(), text(&shard)),
                (index.since().to_owned(), moment(last.since)),
            ])
        });
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index.name())
            .key_condition_expression("#shard = :shard AND #since < :before")
            .expression_attribute_names("#shard", index.name())
            .expression_attribute_names("#since", index.since())
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":before", moment(before))
            .set_exclusive_start_key(behind)
            .limit(PAGE)
            .send()
            .await
            .map_err(failed)?;
        let entry = |item: &Item| {
            Ok(Due {
                key: read_payment_key(item)?,
                since: read_moment(item, index.since())?,
            })
        };
        page.items().iter().map(entry).collect()
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
        // Who was the first may have paid it again.
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
