//! Payments, events, checkout tokens and storefront keys in one DynamoDB table.
//!
//! | `pk` | `sk` | attributes |
//! | --- | --- | --- |
//! | `payment#<project>/<id>` | `payment` | `document`, `version`, `sequence`, `published` |
//! | `payment#<project>/<id>` | `event#<sequence>` | `kind`, `body`, `expires_at` |
//! | `checkout#<SHA-256 of the token>` | `checkout` | `project_id`, `payment_id`, `expires_at` |
//! | `storefront_key#<id>` | `storefront_key` | `document` |
//!
//! A change and its events are one write: a plain update where there are no events, else a
//! transaction. The events stand beside the payment and not in it, so that the payment's item
//! stays small however long a queue is down. `published` is written apart from the rest and is
//! never part of a commit, so a commit that has read an older mark does not take it back.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use ecommpay::fields::ProjectId;

use super::aws::describe;
use crate::backoff;
use crate::decide::Change;
use crate::event::Event;
use crate::ids::PaymentKey;
use crate::payment::Payment;
use crate::ports::{CommitError, PaymentStore, StoreError, Stored, StorefrontStore};
use crate::storefront::Storefront;

/// How long a sent event can be looked up.
const EVENTS_KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);
/// How long a checkout's token leads to its payment.
const TOKENS_KEPT: Duration = Duration::from_secs(31 * 24 * 3_600);

type Item = HashMap<String, AttributeValue>;

/// The table.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

impl DynamoStore {
    /// The table of that name.
    pub fn new(config: &aws_types::SdkConfig, table: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            table: table.into(),
        }
    }

    /// Adds a storefront's key, or replaces it.
    pub async fn put_storefront(&self, storefront: &Storefront) -> Result<(), StoreError> {
        let document = serde_json::to_string(storefront).map_err(broken)?;
        self.client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(format!("storefront_key#{}", storefront.key_id)))
            .item("sk", text("storefront_key"))
            .item("document", text(document))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn get(&self, pk: String, sk: &str) -> Result<Option<Item>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        Ok(output.item)
    }

    fn payment_update(&self, change: &Change, over: Option<u64>) -> Result<Update, StoreError> {
        let document = serde_json::to_string(&change.payment).map_err(broken)?;
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(payment_pk(&change.payment.key())))
            .key("sk", text("payment"))
            .update_expression(
                "SET #document = :document, #version = :next, #sequence = :sequence, \
                 #published = if_not_exists(#published, :none)",
            )
            .expression_attribute_names("#document", "document")
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#published", "published")
            .expression_attribute_values(":document", text(document))
            .expression_attribute_values(":next", number(over.unwrap_or(0) + 1))
            .expression_attribute_values(":sequence", number(change.payment.sequence))
            .expression_attribute_values(":none", number(0));
        let update = match over {
            None => update.condition_expression("attribute_not_exists(#version)"),
            Some(version) => update
                .condition_expression("#version = :read")
                .expression_attribute_values(":read", number(version)),
        };
        update.build().map_err(broken)
    }

    fn event_put(&self, event: &Event, change: &Change) -> Result<Put, StoreError> {
        let kept_until = change.payment.updated_at.after(EVENTS_KEPT);
        Put::builder()
            .table_name(&self.table)
            .item("pk", text(payment_pk(&event.key)))
            .item("sk", text(event_sk(event.sequence)))
            .item("kind", text(event.kind.as_str()))
            .item("body", text(&event.body))
            .item(
                "expires_at",
                AttributeValue::N(kept_until.unix_seconds().to_string()),
            )
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(broken)
    }

    fn token_put(&self, token_hash: &str, payment: &Payment) -> Result<Put, StoreError> {
        let order = payment.order.as_ref();
        let kept_from = order.map_or(payment.created_at, |order| order.expires_at);
        let kept_until = kept_from.after(TOKENS_KEPT);
        Put::builder()
            .table_name(&self.table)
            .item("pk", text(format!("checkout#{token_hash}")))
            .item("sk", text("checkout"))
            .item("project_id", number(u64::from(payment.project_id.get())))
            .item("payment_id", text(&payment.payment_id))
            .item(
                "expires_at",
                AttributeValue::N(kept_until.unix_seconds().to_string()),
            )
            .build()
            .map_err(broken)
    }

    async fn update_alone(&self, update: Update) -> Result<(), CommitError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(
                    UpdateItemError::ConditionalCheckFailedException(_)
                    | UpdateItemError::TransactionConflictException(_),
                ) => Err(CommitError::Conflict),
                _ => Err(failed(error).into()),
            },
        }
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<(), CommitError> {
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_conflict(&error) => Err(CommitError::Conflict),
            Err(error) => Err(failed(error).into()),
        }
    }
}

/// Whether a transaction was cancelled by another writer, and by nothing else.
fn is_conflict(error: &SdkError<TransactWriteItemsError>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return false;
    };
    let codes = || {
        cancelled
            .cancellation_reasons()
            .iter()
            .filter_map(|reason| reason.code())
    };
    let by_others = |code: &str| matches!(code, "ConditionalCheckFailed" | "TransactionConflict");
    codes().any(by_others) && codes().all(|code| code == "None" || by_others(code))
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
        }))
    }

    async fn commit(
        &self,
        change: &Change,
        over: Option<u64>,
        token_hash: Option<&str>,
    ) -> Result<(), CommitError> {
        let update = self.payment_update(change, over)?;
        if change.events.is_empty() && token_hash.is_none() {
            return self.update_alone(update).await;
        }
        let mut items = vec![TransactWriteItem::builder().update(update).build()];
        for event in &change.events {
            let put = self.event_put(event, change)?;
            items.push(TransactWriteItem::builder().put(put).build());
        }
        if let Some(token_hash) = token_hash {
            let put = self.token_put(token_hash, &change.payment)?;
            items.push(TransactWriteItem::builder().put(put).build());
        }
        self.transact(items).await
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

    async fn mark_published(&self, key: &PaymentKey, through: u64) -> Result<(), StoreError> {
        for attempt in 0..backoff::ATTEMPTS {
            let marked = self
                .client
                .update_item()
                .table_name(&self.table)
                .key("pk", text(payment_pk(key)))
                .key("sk", text("payment"))
                .update_expression("SET #published = :through")
                .condition_expression("#published < :through")
                .expression_attribute_names("#published", "published")
                .expression_attribute_values(":through", number(through))
                .send()
                .await;
            let Err(error) = marked else { return Ok(()) };
            match error.as_service_error() {
                // Another publisher was faster.
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => return Ok(()),
                // A commit is writing this item at this very moment.
                Some(UpdateItemError::TransactionConflictException(_)) => {
                    backoff::pause(attempt).await
                }
                _ => return Err(failed(error)),
            }
        }
        Err(StoreError("too many write one payment at once".into()))
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

impl StorefrontStore for DynamoStore {
    async fn storefront(&self, key_id: &str) -> Result<Option<Storefront>, StoreError> {
        let item = self
            .get(format!("storefront_key#{key_id}"), "storefront_key")
            .await?;
        item.map(|item| serde_json::from_str(read_text(&item, "document")?).map_err(broken))
            .transpose()
    }
}

fn payment_pk(key: &PaymentKey) -> String {
    format!("payment#{key}")
}

/// Ten digits, so that events sort by their number.
fn event_sk(sequence: u64) -> String {
    format!("event#{sequence:010}")
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn read_text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(value)) => Ok(value),
        _ => Err(StoreError(format!("an item has no text {name}"))),
    }
}

fn read_number(item: &Item, name: &'static str) -> Result<u64, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().map_err(broken),
        _ => Err(StoreError(format!("an item has no number {name}"))),
    }
}

fn read_event(key: &PaymentKey, item: &Item) -> Result<Event, StoreError> {
    let sequence = read_text(item, "sk")?.trim_start_matches("event#");
    let body = read_text(item, "body")?;
    let id = serde_json::from_str::<EventId>(body).map_err(broken)?.id;
    let kind = serde_json::Value::from(read_text(item, "kind")?);
    Ok(Event {
        key: key.clone(),
        sequence: sequence.parse().map_err(broken)?,
        kind: serde_json::from_value(kind).map_err(broken)?,
        id,
        body: body.to_owned(),
    })
}

#[derive(serde::Deserialize)]
struct EventId {
    id: String,
}

fn failed<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> StoreError {
    StoreError(describe(&error))
}

/// An item is not what we once wrote.
fn broken(error: impl std::fmt::Display) -> StoreError {
    StoreError(format!("an item cannot be read or written: {error}"))
}
