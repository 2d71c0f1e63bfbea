//! Computes DynamoDB's read and write units. Items have the form of the API: `{"pk": {"S": "..."}}`.
//!
//! These are the rules of DynamoDB's documentation:
//! - A write costs one unit per started KB of the item before or after the write, whichever is larger.
//! - A transaction doubles the units of a write.
//! - A consistent read costs one unit per started 4 KB. Any other read costs half of this.
//! - An index entry that appears or disappears costs one unit. A changed key of an entry costs two units.
//!
//! AWS does not document whether a transaction doubles the units of an index. This module does not double the units of
//! an index, because DynamoDB writes indexes after the transaction.

use anyhow::{Context, bail};
use serde_json::Value;

/// One write unit covers an item of this many bytes.
const WRITE_UNIT: u64 = 1_024;
/// One unit of a consistent read covers an item of this many bytes.
const READ_UNIT: u64 = 4_096;

/// An index whose entries contain only keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysOnlyIndex {
    /// The index's name.
    pub name: String,
    /// The key attributes of the index, without those of the table.
    pub attributes: Vec<String>,
}

impl KeysOnlyIndex {
    /// Returns an item's entry, or `None` if the index has no entry for the item.
    fn entry<'a>(&self, item: Option<&'a Value>) -> Option<Vec<(&str, &'a Value)>> {
        let item = item?;
        let own = self.attributes.iter();
        own.map(|name| Some((name.as_str(), item.get(name)?)))
            .collect()
    }

    /// Returns the partition key of an item's index entry.
    pub fn partition<'a>(&self, item: Option<&'a Value>) -> Option<&'a str> {
        let (_, value) = *self.entry(item)?.first()?;
        value.get("S")?.as_str()
    }

    /// Returns the units for removing the old entry, and for adding the new entry.
    pub fn write_units(&self, before: Option<&Value>, after: Option<&Value>) -> (u64, u64) {
        // An entry has only a payment's key, a shard and a time. Therefore the entry of a usual payment is smaller than
        // 1 KB.
        match (self.entry(before), self.entry(after)) {
            (old, new) if old == new => (0, 0),
            (old, new) => (u64::from(old.is_some()), u64::from(new.is_some())),
        }
    }
}

/// Returns the size of an item in bytes. Fails for a type other than text and number. The product never writes such a
/// type.
pub fn size(item: &Value) -> anyhow::Result<u64> {
    let attributes = item.as_object().context("the item is not an object")?;
    let sizes = attributes.iter().map(|(name, value)| {
        let value = value_size(value).with_context(|| format!("{name}: {value}"))?;
        Ok(u64::try_from(name.len())? + value)
    });
    sizes.sum()
}

fn value_size(value: &Value) -> anyhow::Result<u64> {
    if let Some(text) = value.get("S").and_then(Value::as_str) {
        return Ok(u64::try_from(text.len())?);
    }
    if let Some(number) = value.get("N").and_then(Value::as_str) {
        let digits = number.trim_matches('0').chars();
        let digits = digits.filter(char::is_ascii_digit).count();
        return Ok(u64::try_from(digits.div_ceil(2))? + 1);
    }
    bail!("neither a text nor a number");
}

/// Returns the units of a write.
pub fn write(
    before: Option<&Value>,
    after: Option<&Value>,
    in_transaction: bool,
) -> anyhow::Result<u64> {
    let sizes = [before, after].into_iter().flatten().map(size);
    let largest = sizes.collect::<anyhow::Result<Vec<_>>>()?.into_iter().max();
    let units = largest.unwrap_or(0).div_ceil(WRITE_UNIT).max(1);
    Ok(if in_transaction { 2 * units } else { units })
}

/// Returns the units of a read.
pub fn read(bytes: u64, consistent: bool) -> f64 {
    let units = bytes.div_ceil(READ_UNIT).max(1) as f64;
    if consistent { units } else { units / 2.0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(bytes: usize) -> Value {
        // The key has 2 + 3 bytes, and the name `b` 1 byte.
        json!({ "pk": { "S": "abc" }, "b": { "S": "x".repeat(bytes - 6) } })
    }

    #[test]
    fn an_item_has_the_documented_size() {
        assert_eq!(size(&item(1_000)).unwrap(), 1_000);
        assert_eq!(size(&json!({ "at": { "N": "1700" } })).unwrap(), 2 + 2);
        assert_eq!(
            size(&json!({ "at": { "N": "1767225600123" } })).unwrap(),
            2 + 8
        );
        assert!(size(&json!({ "at": { "B": "" } })).is_err());
    }

    #[test]
    fn a_write_is_charged_by_the_larger_item_and_doubled_in_a_transaction() {
        let (small, large) = (item(1_024), item(1_025));
        assert_eq!(write(None, Some(&small), false).unwrap(), 1);
        assert_eq!(write(Some(&large), Some(&small), false).unwrap(), 2);
        assert_eq!(write(Some(&small), Some(&large), true).unwrap(), 4);
        assert_eq!(read(4_096, true), 1.0);
        assert_eq!(read(4_097, false), 1.0);
        assert_eq!(read(0, false), 0.5);
    }

    #[test]
    fn an_index_is_charged_only_for_a_changed_entry() {
        let index = KeysOnlyIndex {
            name: "next".into(),
            attributes: vec!["next".into(), "next_at".into()],
        };
        let entry =
            |at: &str| json!({ "next": { "S": "poll#1" }, "next_at": { "N": at }, "x": {} });
        let (one, two, none) = (entry("1"), entry("2"), json!({ "next_at": { "N": "1" } }));
        let units = |before, after| index.write_units(before, after);
        assert_eq!(units(None, Some(&one)), (0, 1));
        assert_eq!(units(Some(&one), Some(&one)), (0, 0));
        assert_eq!(units(Some(&one), Some(&two)), (1, 1));
        assert_eq!(units(Some(&two), Some(&none)), (1, 0));
        assert_eq!(index.partition(Some(&one)), Some("poll#1"));
    }
}
