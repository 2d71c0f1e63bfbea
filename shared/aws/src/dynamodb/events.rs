//! Stores events. Each event is a separate item, so that the payment item stays small even if many events are
//! unpublished.

use std::time::Duration;

use aws_sdk_dynamodb::types::Put;
use payments::events::{Event, EventKind};
use payments::model::ids::PaymentKey;
use payments::model::timestamp::Timestamp;
use payments::ports::StoreError;

use super::attributes::{Item, expiry, item_error, read_text, text};
use super::payment_item::payment_pk;
use super::unreadable::unreadable_item;
use super::{DynamoStore, failed};

/// An event expires this long after its commit. Then DynamoDB deletes the item.
const RETENTION: Duration = Duration::from_secs(90 * 24 * 3_600);

const SK_PREFIX: &str = "event#";

/// Returns a sort key with ten digits, so that DynamoDB sorts the events by their sequence numbers.
fn sk(sequence: u64) -> String {
    format!("{SK_PREFIX}{sequence:010}")
}

/// The condition fails if the payment already has an event with this sequence number.
pub(super) fn put(table: &str, event: &Event, committed_at: Timestamp) -> Result<Put, StoreError> {
    Put::builder()
        .table_name(table)
        .item("pk", text(payment_pk(&event.key)))
        .item("sk", text(sk(event.sequence)))
        .item("kind", text(event.kind.as_str()))
        .item("content", text(&event.stored))
        .item("expires_at", expiry(committed_at.after(RETENTION)))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .map_err(item_error)
}

fn read(key: &PaymentKey, item: &Item) -> Result<Event, StoreError> {
    let sequence = read_text(item, "sk")?.trim_start_matches(SK_PREFIX);
    let sequence = sequence.parse().map_err(item_error)?;
    let kind = EventKind::of_stored(read_text(item, "kind")?);
    let content = read_text(item, "content")?;
    Event::from_stored(key.clone(), sequence, kind, content).map_err(item_error)
}

impl DynamoStore {
    pub(super) async fn read_events(
        &self,
        key: &PaymentKey,
        from: u64,
        to: u64,
    ) -> Result<Vec<Event>, StoreError> {
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(payment_pk(key)))
            .expression_attribute_values(":from", text(sk(from)))
            .expression_attribute_values(":to", text(sk(to)))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut events = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed)?;
            let event = read(key, &item).map_err(|error| unreadable_item(&item, error));
            events.push(event?);
        }
        Ok(events)
    }
}
