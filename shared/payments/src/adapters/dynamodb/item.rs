//! The attributes of items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ecommpay::fields::ProjectId;

use crate::event::Event;
use crate::ids::PaymentKey;
use crate::ports::StoreError;
use crate::timestamp::Timestamp;

pub(super) type Item = HashMap<String, AttributeValue>;

const PAYMENT: &str = "payment#";

pub(super) fn payment_pk(key: &PaymentKey) -> String {
    format!("{PAYMENT}{key}")
}

/// The key that [`payment_pk`] was made of. An id can have any characters, slashes too.
pub(super) fn read_payment_key(item: &Item) -> Result<PaymentKey, StoreError> {
    let pk = read_text(item, "pk")?;
    let (project_id, id) = pk
        .strip_prefix(PAYMENT)
        .and_then(|key| key.split_once('/'))
        .ok_or_else(|| broken("not a payment's key"))?;
    let project_id = project_id.parse().map_err(broken)?;
    let project_id = ProjectId::new(project_id).map_err(broken)?;
    Ok(PaymentKey::new(project_id, id))
}

/// Ten digits, so that events sort by their number.
pub(super) fn event_sk(sequence: u64) -> String {
    format!("event#{sequence:010}")
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A moment as indexes have it, in milliseconds.
pub(super) fn moment(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.unix_millis().to_string())
}

/// A moment as the table's time to live wants it, in seconds.
pub(super) fn expiry(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.unix_seconds().to_string())
}

pub(super) fn read_text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(value)) => Ok(value),
        _ => Err(StoreError(format!("an item has no text {name}"))),
    }
}

pub(super) fn read_number(item: &Item, name: &'static str) -> Result<u64, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().map_err(broken),
        _ => Err(StoreError(format!("an item has no number {name}"))),
    }
}

pub(super) fn read_moment(item: &Item, name: &'static str) -> Result<Timestamp, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().map(Timestamp::from_millis).map_err(broken),
        _ => Err(StoreError(format!("an item has no moment {name}"))),
    }
}

pub(super) fn read_event(key: &PaymentKey, item: &Item) -> Result<Event, StoreError> {
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

/// An item is not what we once wrote.
pub(super) fn broken(error: impl std::fmt::Display) -> StoreError {
    StoreError(format!("an item cannot be read or written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_written() {
        let project_id = ProjectId::new(211).unwrap();
        for id in ["order-1", "a/b//c", "#", "payment#1/2", " \u{e9}\u{20ac} "] {
            let key = PaymentKey::new(project_id, id);
            let item = Item::from([("pk".to_owned(), text(payment_pk(&key)))]);
            assert_eq!(read_payment_key(&item).unwrap(), key);
        }
        for pk in ["", "payment#", "payment#x/y", "checkout#211/y"] {
            let item = Item::from([("pk".to_owned(), text(pk))]);
            assert!(read_payment_key(&item).is_err(), "{pk}");
        }
    }
}
