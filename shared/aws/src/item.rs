//! The attributes of DynamoDB's items.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;

use payments::model::timestamp::Timestamp;
use payments::ports::StoreError;

/// The attributes of an item by their names.
pub type Item = HashMap<String, AttributeValue>;

/// A text.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number.
pub fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A moment as indexes have it, in milliseconds.
pub fn moment(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.unix_millis().to_string())
}

/// A moment as the table's time to live wants it, in seconds.
pub fn expiry(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.unix_seconds().to_string())
}

/// The text of that name.
pub fn read_text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(value)) => Ok(value),
        _ => Err(StoreError(format!("an item has no text {name}"))),
    }
}

/// The number of that name.
pub fn read_number(item: &Item, name: &'static str) -> Result<u64, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().map_err(broken),
        _ => Err(StoreError(format!("an item has no number {name}"))),
    }
}

/// The moment of that name, as [`moment`] wrote it.
pub fn read_moment(item: &Item, name: &'static str) -> Result<Timestamp, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().map(Timestamp::from_millis).map_err(broken),
        _ => Err(StoreError(format!("an item has no moment {name}"))),
    }
}

/// An item is not what we once wrote. What is wrong with JSON is told by its place only: the
/// error's own words quote the value, which may be personal.
pub fn broken(error: impl Display + 'static) -> StoreError {
    let why = match (&error as &dyn Any).downcast_ref::<serde_json::Error>() {
        Some(json) => {
            let (kind, line, column) = (json.classify(), json.line(), json.column());
            format!("JSON, {kind:?} error in line {line}, column {column}")
        }
        None => error.to_string(),
    };
    StoreError(format!("an item cannot be read or written: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use payments::model::Status;

    #[test]
    fn what_cannot_be_read_is_told_without_its_value() {
        let json = "{\n\"last_name\": \"Janssens\"}";
        let error = serde_json::from_str::<HashMap<String, Status>>(json).unwrap_err();
        assert!(error.to_string().contains("Janssens"), "{error}");
        assert_eq!(
            broken(error).0,
            "an item cannot be read or written: JSON, Data error in line 2, column 23"
        );
    }

    #[test]
    fn an_attribute_of_another_kind_is_told_by_its_name() {
        let item = Item::from([
            ("amount".to_owned(), text("Janssens")),
            ("sequence".to_owned(), AttributeValue::N("-1".into())),
        ]);
        let error = read_number(&item, "amount").unwrap_err().0;
        assert_eq!(error, "an item has no number amount");
        let error = read_number(&item, "sequence").unwrap_err().0;
        assert!(error.ends_with("invalid digit found in string"), "{error}");
        assert!(read_text(&item, "sequence").is_err());
        assert!(read_moment(&item, "amount").is_err());
    }
}
