//! Reads and writes the attributes of DynamoDB items.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::model::timestamp::Timestamp;
use payments::ports::StoreError;

/// An item: its attributes by name.
pub type Item = HashMap<String, AttributeValue>;

/// Creates a string attribute.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Creates a number attribute.
pub fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Creates a number attribute from a time, in milliseconds. The indexes use this unit.
pub fn millis(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.unix_millis().to_string())
}

/// Creates a number attribute from a time, in seconds. [DynamoDB's time to
/// live](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html) uses this unit.
pub fn expiry(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.unix_seconds().to_string())
}

/// Reads a string attribute.
pub fn read_text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(value)) => Ok(value),
        _ => Err(missing("string", name)),
    }
}

/// Reads a number attribute.
pub fn read_number(item: &Item, name: &'static str) -> Result<u64, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().map_err(item_error),
        _ => Err(missing("number", name)),
    }
}

/// Reads a time from an attribute that [`millis`] created.
pub fn read_millis(item: &Item, name: &'static str) -> Result<Timestamp, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(value)) => {
            let time = Timestamp::from_unix_millis(value.parse().map_err(item_error)?);
            time.ok_or_else(|| item_error("a time outside the years 0 to 9999"))
        }
        _ => Err(missing("number", name)),
    }
}

fn missing(kind: &str, name: &str) -> StoreError {
    StoreError::Failed(format!("an item has no {kind} attribute {name}"))
}

/// Creates the error of an item that cannot be read or written. For a JSON error, the text contains only the category
/// and the position. The message of `serde_json` would quote the value, which can be personal data.
pub fn item_error(error: impl Display + 'static) -> StoreError {
    let why = match (&error as &dyn Any).downcast_ref::<serde_json::Error>() {
        Some(json) => {
            let (kind, line, column) = (json.classify(), json.line(), json.column());
            format!("JSON, {kind:?} error in line {line}, column {column}")
        }
        None => error.to_string(),
    };
    StoreError::Failed(format!("an item cannot be read or written: {why}"))
}

#[cfg(test)]
mod tests {
    use payments::model::Status;

    use super::*;

    #[test]
    fn a_json_error_contains_the_position_and_no_value() {
        let json = "{\n\"last_name\": \"Janssens\"}";
        let error = serde_json::from_str::<HashMap<String, Status>>(json).unwrap_err();
        assert!(error.to_string().contains("Janssens"), "{error}");
        assert_eq!(
            item_error(error).to_string(),
            "the store failed: an item cannot be read or written: JSON, Data error in line 2, column 23"
        );
    }

    #[test]
    fn the_error_of_an_invalid_attribute_says_what_is_wrong_without_the_value() {
        let item = Item::from([
            ("amount".to_owned(), text("Janssens")),
            ("sequence".to_owned(), AttributeValue::N("-1".into())),
        ]);
        let error = read_number(&item, "amount").unwrap_err().to_string();
        assert_eq!(
            error,
            "the store failed: an item has no number attribute amount"
        );
        let error = read_number(&item, "sequence").unwrap_err().to_string();
        assert!(error.ends_with("invalid digit found in string"), "{error}");
        let error = read_text(&item, "sequence").unwrap_err().to_string();
        assert_eq!(
            error,
            "the store failed: an item has no string attribute sequence"
        );
        assert!(read_millis(&item, "amount").is_err());
    }
}
