//! Merges a change of a payment into its stored document. The document can have fields and words that this release does
//! not know (`mod.rs` defines *word*).
//!
//! The merge compares three values:
//! - `stored`: the document as it was read
//! - `base`: the payment before the change, as this release writes it
//! - `mine`: the payment after the change, as this release writes it
//!
//! If a value is equal in `base` and `mine`, it keeps the form that it has in `stored`. Otherwise the change affects
//! the value:
//! - An object is merged field by field. It keeps the fields that this release does not know.
//! - A list is merged element by element. A changed element loses the fields that this release does not know, except in
//!   `refunds`. If `base` and `stored` have different numbers of elements, the result is `mine`.
//! - For any other value, the result is `mine`. This includes a value whose JSON type differs between the three.
//!
//! If the change removes an object, the unknown fields of the object are removed too. The same holds if the change
//! replaces the object by another one ([`IDENTITY`]). For example, the erasure of the customer removes all personal
//! data in `customer`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, to_value};

use crate::model::payment::Payment;
use crate::model::refunds::refund::Refund;
use crate::model::reported::operation::Operation;
use crate::model::short_form::ShortForm;

/// The fields that identify an object: the number of an attempt, the id of a customer, and the dates of a report. If
/// `mine` and `base` differ in one of these fields, the change has replaced the object by another one.
const IDENTITY: [&str; 6] = [
    "number",
    "id",
    "order",
    "date",
    "operation_date",
    "payment_date",
];

/// The objects that are not written if they have their default value. If `mine` lacks such an object, the object has
/// its default value. It was not removed, so its unknown fields stay.
const LEFT_OUT: [&str; 6] = [
    "polling",
    "discrepancies",
    "overflow",
    "sums",
    "future_dates",
    "details",
];

/// Returns the document after the change. Returns `None` if `stored` is not JSON, or if `mine` or `base` cannot be
/// serialized.
pub(super) fn merge(mine: &Payment, base: &Payment, stored: &str) -> Option<String> {
    let stored: Value = serde_json::from_str(stored).ok()?;
    let (mine, base) = (to_value(mine).ok()?, to_value(base).ok()?);
    Some(merge_values("", mine, &base, &stored).to_string())
}

/// Merges the values of the field `name`.
fn merge_values(name: &str, mine: Value, base: &Value, stored: &Value) -> Value {
    if mine == *base {
        return stored.clone();
    }
    match (mine, base, stored) {
        (Value::Object(mine), Value::Object(base), Value::Object(stored)) => {
            Value::Object(match name {
                "operations" => merge_operations(mine, base, stored),
                _ if stand_for_the_same(&mine, base) => merge_objects(mine, base, stored),
                _ => replace_object(mine, base, stored),
            })
        }
        (Value::Array(mine), Value::Array(base), Value::Array(stored))
            if base.len() == stored.len() =>
        {
            Value::Array(match name {
                "refunds" => merge_refunds(mine, base, stored),
                _ => merge_lists(mine, base, stored),
            })
        }
        (mine, ..) => mine,
    }
}

fn merge_operations(
    mine: Map<String, Value>,
    base: &Map<String, Value>,
    stored: &Map<String, Value>,
) -> Map<String, Value> {
    let merged = mine.into_iter().map(|(id, mine)| {
        let merged = match (base.get(&id), stored.get(&id)) {
            (Some(base), Some(stored)) => merge_short::<Operation>(mine, base, stored),
            _ => mine,
        };
        (id, merged)
    });
    merged.collect()
}

fn merge_refunds(mine: Vec<Value>, base: &[Value], stored: &[Value]) -> Vec<Value> {
    let known: BTreeMap<_, _> = base
        .iter()
        .map(id_of_refund)
        .zip(base.iter().zip(stored))
        .collect();
    let merged = mine
        .into_iter()
        .map(|mine| match known.get(&id_of_refund(&mine)) {
            Some((base, stored)) => merge_short::<Refund>(mine, base, stored),
            None => mine,
        });
    merged.collect()
}

/// Returns the id of a refund: the merchant's id, or for an external refund the id of its operation.
fn id_of_refund(refund: &Value) -> [Option<String>; 2] {
    let refund = long::<Refund>(refund);
    let text = |name| refund.get(name).and_then(Value::as_str).map(str::to_owned);
    match text("refund_id") {
        Some(id) => [Some(id), None],
        None => [None, text("operation_id")],
    }
}

/// Merges an operation or a refund. `mine` can be a short text ([`ShortForm`]), which cannot contain unknown fields.
/// Therefore the result is `mine` only if the merged object equals `mine`. Otherwise the result is a JSON object.
fn merge_short<T: ShortForm + Serialize>(mine: Value, base: &Value, stored: &Value) -> Value {
    if mine == *base {
        return stored.clone();
    }
    let long_mine = long::<T>(&mine);
    let merged = merge_values("", long_mine.clone(), &long::<T>(base), &long::<T>(stored));
    if merged == long_mine { mine } else { merged }
}

/// Returns an operation or a refund as a JSON object, even if `value` is a short text.
fn long<T: ShortForm + Serialize>(value: &Value) -> Value {
    let read = value.as_str().and_then(T::read);
    let long = read.and_then(|read| to_value(read).ok());
    long.unwrap_or_else(|| value.clone())
}

/// Returns `mine`, which replaces another object. The unknown fields of the replaced object are removed. A field with
/// equal values in `mine` and `base` keeps its stored form.
fn replace_object(
    mine: Map<String, Value>,
    base: &Map<String, Value>,
    stored: &Map<String, Value>,
) -> Map<String, Value> {
    let part = |(name, value): (String, Value)| {
        let is_same = base.get(&name) == Some(&value);
        let stored = stored.get(&name).filter(|_| is_same).cloned();
        (name, stored.unwrap_or(value))
    };
    mine.into_iter().map(part).collect()
}

fn stand_for_the_same(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let is_object = |value: Option<&Value>| value.is_some_and(Value::is_object);
    IDENTITY.iter().all(|name| {
        let (one, other) = (one.get(*name), other.get(*name));
        // The field `order` of a report is a list with its dates. The field `order` of a payment is an object, and
        // identifies nothing.
        is_object(one) || is_object(other) || one == other
    })
}

fn merge_objects(
    mut mine: Map<String, Value>,
    base: &Map<String, Value>,
    stored: &Map<String, Value>,
) -> Map<String, Value> {
    let empty = Value::Object(Map::new());
    let mut merged = Map::new();
    for (name, stored) in stored {
        let is_left_out = LEFT_OUT.contains(&name.as_str());
        let value = match (mine.remove(name), base.get(name)) {
            (Some(mine), base) => Some(merge_values(name, mine, base.unwrap_or(&empty), stored)),
            (None, Some(base)) if is_left_out => {
                Some(merge_values(name, empty.clone(), base, stored))
            }
            (None, Some(_)) => None,
            (None, None) => Some(stored.clone()),
        };
        merged.extend(value.map(|value| (name.clone(), value)));
    }
    // If a field is in `base` but not in `stored`, the other release does not write it. Such a field is added only if
    // the change affects it.
    mine.retain(|name, value| base.get(name) != Some(value));
    merged.extend(mine);
    merged
}

/// Merges the elements of a list. An element that is also in `base` keeps its stored form. Any other element keeps the
/// form that it has in `mine`.
fn merge_lists(mine: Vec<Value>, base: &[Value], stored: &[Value]) -> Vec<Value> {
    let mut known: Vec<_> = base.iter().zip(stored).collect();
    let merged = mine.into_iter().map(|mine| {
        let index = known.iter().position(|(base, _)| **base == mine);
        index.map_or(mine, |index| known.remove(index).1.clone())
    });
    merged.collect()
}
