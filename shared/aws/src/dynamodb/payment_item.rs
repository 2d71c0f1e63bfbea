//! The attributes of payments and events.

use ecommpay::fields::ProjectId;

pub(super) use crate::item::{
    Item, broken, expiry, moment, number, read_moment, read_number, read_text, text,
};
use payments::events::{Event, EventKind};
use payments::model::ids::PaymentKey;
use payments::ports::StoreError;

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

pub(super) fn read_event(key: &PaymentKey, item: &Item) -> Result<Event, StoreError> {
    let sequence = read_text(item, "sk")?.trim_start_matches("event#");
    let sequence = sequence.parse().map_err(broken)?;
    let kind = EventKind::parse(read_text(item, "kind")?);
    let kind = kind.ok_or_else(|| broken("not a kind of event"))?;
    let content = read_text(item, "content")?;
    Event::from_stored(key.clone(), sequence, kind, content).map_err(broken)
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
