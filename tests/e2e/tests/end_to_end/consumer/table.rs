//! Reads and changes the table of the sample consumer.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use anyhow::Context;
use e2e::aws_call::call;
use e2e::eventually;
use e2e::system::System;
use serde_json::{Value, json};

/// The item of a payment.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The state of the goods, such as `shipped`.
    pub goods: String,
    /// The actions, in the order of the events.
    pub actions: Vec<String>,
    /// The expiry of the item, in Unix seconds.
    pub expires_at: i64,
}

/// Waits until `matches` accepts the item of a payment.
pub async fn until(
    system: &System,
    payment_id: &str,
    matches: impl Fn(&Stored) -> bool,
) -> anyhow::Result<Stored> {
    let mut last = None;
    let matching = eventually("the change of the consumer's table", async || {
        last = read(system, payment_id).await?;
        Ok(last.clone().filter(&matches))
    });
    let matching = matching.await;
    matching.with_context(|| format!("{payment_id}: {last:?}"))
}

/// Stores an invalid item, so that the consumer fails at each event of the payment.
pub async fn corrupt(system: &System, payment_id: &str) -> anyhow::Result<()> {
    let item = json!({ "payment": key(system, payment_id), "goods": { "S": "invalid" } });
    table(system, "put_item", json!({ "Item": item })).await?;
    Ok(())
}

pub async fn delete(system: &System, payment_id: &str) -> anyhow::Result<()> {
    let key = json!({ "payment": key(system, payment_id) });
    table(system, "delete_item", json!({ "Key": key })).await?;
    Ok(())
}

async fn read(system: &System, payment_id: &str) -> anyhow::Result<Option<Stored>> {
    let key = json!({ "payment": key(system, payment_id) });
    let parameters = json!({ "Key": key, "ConsistentRead": true });
    let item = &table(system, "get_item", parameters).await?["Item"];
    if item.is_null() {
        return Ok(None);
    }
    let actions = item["actions"]["S"]
        .as_str()
        .context("the item has no actions")?;
    let expires_at = item["expires_at"]["N"]
        .as_str()
        .context("the item has no expiry")?;
    Ok(Some(Stored {
        goods: item["goods"]["S"]
            .as_str()
            .context("the item has no goods")?
            .to_owned(),
        actions: parse_actions(actions)?,
        expires_at: expires_at.parse()?,
    }))
}

/// Parses a text such as `2 nothing, 3 ship, 4-1003 nothing`. Each entry has the sequence number of an event, or a
/// range of numbers, and the action.
fn parse_actions(text: &str) -> anyhow::Result<Vec<String>> {
    let mut actions = BTreeMap::new();
    for run in text.split(", ") {
        let (numbers, action) = run.split_once(' ').context("an entry has no action")?;
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let numbers: RangeInclusive<u64> = first.parse()?..=last.parse()?;
        actions.extend(numbers.map(|number| (number, action.to_owned())));
    }
    Ok(actions.into_values().collect())
}

fn key(system: &System, payment_id: &str) -> Value {
    let (project_id, payment_id) = (system.ready().project_id, payment_id.to_ascii_lowercase());
    json!({ "S": format!("{project_id}/{payment_id}") })
}

async fn table(system: &System, operation: &str, mut parameters: Value) -> anyhow::Result<Value> {
    parameters["TableName"] = json!(system.ready().fulfilment_memory);
    call(&system.sandbox, "dynamodb", operation, &parameters).await
}
