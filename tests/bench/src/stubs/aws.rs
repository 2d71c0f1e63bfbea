//! DynamoDB, SQS and Secrets Manager.
//!
//! What is put into the table is kept as it is. An update of a payment has its new document and numbers among its values,
//! whatever its expression is. Conditions always hold.

use std::collections::BTreeMap;

use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};

use super::server::Answer;
use super::{Key, State};

/// The item's own keys.
pub(super) fn key(item: &Value) -> Option<Key> {
    let text = |name: &str| item.get(name)?.get("S")?.as_str().map(str::to_owned);
    Some((text("pk")?, text("sk")?))
}

pub(super) fn answer(head: &Parts, body: &[u8], state: &mut State) -> Answer {
    if head.uri.path() == "/ping" {
        return ("ping".to_owned(), StatusCode::OK, Value::Null);
    }
    let target = head
        .headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next());
    let operation = operation.unwrap_or("nothing");
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let answer = match operation {
        "GetItem" => Some(get(&asked, &state.items)),
        "UpdateItem" => write(&asked, state).map(|()| json!({})),
        "TransactWriteItems" => transact(&asked, state),
        "SendMessage" => sent(&asked),
        "GetSecretValue" => secret(&asked, &state.secrets),
        _ => None,
    };
    let name = match asked.get("TransactItems").and_then(Value::as_array) {
        Some(actions) => format!("{operation} of {}", actions.len()),
        None => operation.to_owned(),
    };
    match answer {
        Some(answer) => (name, StatusCode::OK, answer),
        None => {
            let refusal = json!({ "__type": "ValidationException", "message": "not for a stub" });
            (name, StatusCode::BAD_REQUEST, refusal)
        }
    }
}

fn get(asked: &Value, items: &BTreeMap<Key, Value>) -> Value {
    let key = asked.get("Key").and_then(key);
    match key.and_then(|key| items.get(&key)) {
        Some(item) => json!({ "Item": item }),
        None => json!({}),
    }
}

/// Writes what an update brings; `None`: it has no keys.
fn write(update: &Value, state: &mut State) -> Option<()> {
    let key = key(update.get("Key")?)?;
    let values = update.get("ExpressionAttributeValues");
    let value = |name: &str| values.and_then(|values| values.get(name)).cloned();
    let (pk, sk) = key.clone();
    let item = state.items.entry(key).or_insert_with(
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
        if let Some(value) = value(name) {
            attributes.insert(attribute.to_owned(), value);
        }
    }
    Some(())
}

fn transact(asked: &Value, state: &mut State) -> Option<Value> {
    for action in asked.get("TransactItems")?.as_array()? {
        if let Some(update) = action.get("Update") {
            write(update, state)?;
        }
        if let Some(item) = action.pointer("/Put/Item") {
            state.items.insert(key(item)?, item.clone());
        }
    }
    Some(json!({}))
}

/// Some SDKs hold the answer's hash against what they have sent.
fn sent(asked: &Value) -> Option<Value> {
    let body = asked.get("MessageBody")?.as_str()?;
    Some(json!({
        "MD5OfMessageBody": format!("{:x}", md5::compute(body)),
        "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274",
        "SequenceNumber": "18849496460467696128",
    }))
}

fn secret(asked: &Value, secrets: &BTreeMap<String, String>) -> Option<Value> {
    let name = asked.get("SecretId")?.as_str()?;
    Some(json!({
        "ARN": format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}"),
        "Name": name,
        "SecretString": secrets.get(name)?,
        "VersionId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
        "VersionStages": ["AWSCURRENT"],
        "CreatedDate": 1_735_689_600,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str, asked: &Value, state: &mut State) -> (StatusCode, Value) {
        let target = format!("DynamoDB_20120810.{operation}");
        let request = http::Request::builder().header("x-amz-target", target);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let (name, status, answer) = answer(&head, asked.to_string().as_bytes(), state);
        assert!(name.starts_with(operation), "{name}");
        (status, answer)
    }

    fn keys(pk: &str) -> Value {
        json!({ "pk": { "S": pk }, "sk": { "S": "payment" } })
    }

    #[test]
    fn a_payment_is_read_as_it_was_last_written() {
        let state = &mut State::default();
        let read = |state: &mut State| {
            let (_, answer) = call("GetItem", &json!({ "Key": keys("payment#211/a") }), state);
            answer.get("Item").cloned()
        };
        assert_eq!(read(state), None);
        let update = |values: Value| json!({ "Key": keys("payment#211/a"), "ExpressionAttributeValues": values });
        let created = update(json!({
            ":document": { "S": "{}" }, ":written": { "N": "1" }, ":sequence": { "N": "1" },
        }));
        let items = json!({ "TransactItems": [{ "Update": created }] });
        assert_eq!(
            call("TransactWriteItems", &items, state),
            (StatusCode::OK, json!({}))
        );
        let item = read(state).unwrap();
        assert_eq!(item["version"]["N"], "1");
        assert_eq!(item["published"]["N"], "0");
        call(
            "UpdateItem",
            &update(json!({ ":through": { "N": "1" } })),
            state,
        );
        let item = read(state).unwrap();
        assert_eq!(item["published"]["N"], "1");
        assert_eq!(item["document"]["S"], "{}");
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let state = &mut State::default();
        for operation in ["Query", "UpdateItem", "SendMessage", "GetSecretValue"] {
            let (status, _) = call(operation, &json!({}), state);
            assert_eq!(status, StatusCode::BAD_REQUEST, "{operation}");
        }
    }

    #[test]
    fn a_message_is_confirmed_by_its_hash() {
        let (_, answer) = call(
            "SendMessage",
            &json!({ "MessageBody": "hello" }),
            &mut State::default(),
        );
        assert_eq!(
            answer["MD5OfMessageBody"],
            "5d41402abc4b2a76b9719d911017c592"
        );
    }
}
