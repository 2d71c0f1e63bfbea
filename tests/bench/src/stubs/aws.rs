//! Answers the calls to DynamoDB, SQS and Secrets Manager.
//!
//! The update of a payment ignores the update expression, and stores the new document and numbers. Conditions always
//! hold.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::settings;

/// Payments by `pk` and `sk`, and storefront keys by `key_id` and an empty text.
pub type Items = BTreeMap<(String, String), Value>;

/// Returns the keys of an item in [`Items`].
pub fn key(item: &Value) -> Option<(String, String)> {
    let text = |name: &str| item.get(name)?.get("S")?.as_str().map(str::to_owned);
    match text("key_id") {
        Some(key_id) => Some((key_id, String::new())),
        None => Some((text("pk")?, text("sk")?)),
    }
}

/// Returns the name of a call and its answer. An invalid or unknown call has no answer.
pub fn answer(operation: &str, input: &Value, items: &mut Items) -> (String, Option<Value>) {
    let output = match operation {
        "GetItem" => get(input, items),
        "UpdateItem" => update(input, items),
        "TransactWriteItems" => transact(input, items),
        "SendMessage" => sent(input),
        "GetSecretValue" => secret(input),
        _ => None,
    };
    let name = match input.get("TransactItems").and_then(Value::as_array) {
        Some(actions) => format!("{operation} of {}", actions.len()),
        None => operation.to_owned(),
    };
    (name, output)
}

fn get(input: &Value, items: &Items) -> Option<Value> {
    let item = items.get(&key(input.get("Key")?)?);
    Some(item.map_or(json!({}), |item| json!({ "Item": item })))
}

fn update(input: &Value, items: &mut Items) -> Option<Value> {
    let key = key(input.get("Key")?)?;
    let values = input.get("ExpressionAttributeValues");
    let (pk, sk) = key.clone();
    let item = items.entry(key).or_insert_with(
        || json!({ "pk": { "S": pk }, "sk": { "S": sk }, "published": { "N": "0" } }),
    );
    let attributes = item.as_object_mut()?;
    for (attribute, name) in [
        ("document", ":document"),
        ("version", ":written"),
        ("sequence", ":sequence"),
        ("published", ":through"),
        ("commit", ":commit"),
    ] {
        if let Some(value) = values.and_then(|values| values.get(name)) {
            attributes.insert(attribute.to_owned(), value.clone());
        }
    }
    Some(json!({}))
}

fn transact(input: &Value, items: &mut Items) -> Option<Value> {
    for action in input.get("TransactItems")?.as_array()? {
        if let Some(input) = action.get("Update") {
            update(input, items)?;
        }
        if let Some(item) = action.pointer("/Put/Item") {
            items.insert(key(item)?, item.clone());
        }
    }
    Some(json!({}))
}

/// Returns the answer to `SendMessage`. The answer has the hash of the message, because some SDKs compare it with their
/// own hash.
fn sent(input: &Value) -> Option<Value> {
    let body = input.get("MessageBody")?.as_str()?;
    Some(json!({
        "MD5OfMessageBody": format!("{:x}", md5::compute(body)),
        "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274",
        "SequenceNumber": "18849496460467696128",
    }))
}

/// Returns the answer to `GetSecretValue`; `None` for an unknown secret.
pub fn secret(input: &Value) -> Option<Value> {
    let id = input.get("SecretId")?.as_str()?;
    Some(json!({
        "ARN": format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{id}"),
        "Name": id,
        "SecretString": settings::secret(id)?,
        "VersionId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
        "VersionStages": ["AWSCURRENT"],
        "CreatedDate": 1_735_689_600,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(items: &mut Items) -> Option<Value> {
        let key = json!({ "pk": { "S": "payment#211/a" }, "sk": { "S": "payment" } });
        let (_, output) = answer("GetItem", &json!({ "Key": key }), items);
        output?.get("Item").cloned()
    }

    fn update_of(values: Value) -> Value {
        let key = json!({ "pk": { "S": "payment#211/a" }, "sk": { "S": "payment" } });
        json!({ "Key": key, "ExpressionAttributeValues": values })
    }

    #[test]
    fn a_read_returns_the_values_of_the_last_writes() {
        let items = &mut Items::default();
        assert_eq!(stored(items), None);
        let created = update_of(json!({
            ":document": { "S": "{}" }, ":written": { "N": "1" }, ":sequence": { "N": "1" },
        }));
        let input = json!({ "TransactItems": [{ "Update": created }] });
        let (name, output) = answer("TransactWriteItems", &input, items);
        assert_eq!(name, "TransactWriteItems of 1");
        assert_eq!(output, Some(json!({})));
        let item = stored(items).unwrap();
        assert_eq!(item["version"]["N"], "1");
        assert_eq!(item["published"]["N"], "0");

        let marked = update_of(json!({ ":through": { "N": "1" } }));
        answer("UpdateItem", &marked, items);
        let item = stored(items).unwrap();
        assert_eq!(item["published"]["N"], "1");
        assert_eq!(item["document"]["S"], "{}");
    }

    #[test]
    fn an_invalid_or_unknown_call_has_no_answer() {
        for operation in [
            "Query",
            "GetItem",
            "UpdateItem",
            "SendMessage",
            "GetSecretValue",
        ] {
            let (_, output) = answer(operation, &json!({}), &mut Items::default());
            assert_eq!(output, None, "{operation}");
        }
    }

    #[test]
    fn a_sent_message_is_answered_with_its_hash() {
        let message = json!({ "MessageBody": "hello" });
        let (_, output) = answer("SendMessage", &message, &mut Items::default());
        let hash = output.unwrap()["MD5OfMessageBody"].clone();
        assert_eq!(hash, "5d41402abc4b2a76b9719d911017c592");
    }
}
