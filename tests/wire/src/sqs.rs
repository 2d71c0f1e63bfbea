//! Refuses the messages that SQS refuses.
//!
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The maximum size of a message in bytes, which the template sets for all queues.
const MAX_BYTES: usize = 1_024 * 1_024;

/// Returns SQS's refusal of a `SendMessage` request, or `None`.
pub(crate) fn refusal(message: &Value) -> Option<Value> {
    if let Some(refusal) = refusal_of_body(message) {
        return Some(refusal);
    }
    let attributes = message.get("MessageAttributes").and_then(Value::as_object);
    let mut attributes = attributes.into_iter().flatten();
    if let Some((name, _)) = attributes.find(|(_, attribute)| !is_attribute(attribute)) {
        return Some(error("InvalidParameterValue", name));
    }
    let field = |name: &str| message.get(name).and_then(Value::as_str);
    for name in ["MessageGroupId", "MessageDeduplicationId"] {
        if !field(name).is_some_and(is_id) {
            return Some(error("InvalidParameterValue", name));
        }
    }
    None
}

/// Returns SQS's refusal of a whole `SendMessageBatch` request, or `None` if SQS decides about each entry.
pub(crate) fn refusal_of_batch(entries: &[Value]) -> Option<Value> {
    let text = |entry: &Value, name: &str| {
        let text = entry.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let ids: BTreeSet<String> = entries.iter().map(|entry| text(entry, "Id")).collect();
    let bytes = entries.iter().map(|entry| text(entry, "MessageBody").len());
    match entries.len() {
        0 => Some(error("EmptyBatchRequest", "the batch is empty")),
        11.. => Some(error(
            "TooManyEntriesInBatchRequest",
            "more than 10 entries",
        )),
        count if ids.len() < count => Some(error("BatchEntryIdsNotDistinct", "an id repeats")),
        _ if bytes.sum::<usize>() > MAX_BYTES => {
            Some(error("BatchRequestTooLong", "the batch is too long"))
        }
        _ => None,
    }
}

/// Returns SQS's refusal of a message's body or delay, or `None`.
pub(crate) fn refusal_of_body(message: &Value) -> Option<Value> {
    let body = message.get("MessageBody").and_then(Value::as_str);
    let body = body.unwrap_or_default();
    if body.is_empty() {
        return Some(error("MissingParameter", "the message has no body"));
    }
    if let Some(character) = body.chars().find(|character| !is_allowed(*character)) {
        let why = format!("{:04X} is not allowed in a message", u32::from(character));
        return Some(error("InvalidMessageContents", &why));
    }
    if body.len() > MAX_BYTES {
        let why = format!("the message has {} bytes", body.len());
        return Some(error("InvalidParameterValue", &why));
    }
    let delay = message.get("DelaySeconds").and_then(Value::as_i64);
    let is_delay = delay.is_none_or(|delay| (0..=900).contains(&delay));
    (!is_delay).then(|| error("InvalidParameterValue", "DelaySeconds"))
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// A text in an attribute has at least one character, and only characters that a body can have.
fn is_attribute(attribute: &Value) -> bool {
    let value = attribute.get("StringValue").and_then(Value::as_str);
    attribute
        .get("DataType")
        .is_some_and(|kind| kind == "String")
        && value.is_some_and(|text| !text.is_empty() && text.chars().all(is_allowed))
}

/// A `MessageGroupId` and a `MessageDeduplicationId` have 1 to 128 letters, digits and punctuation marks.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn error(kind: &str, message: &str) -> Value {
    json!({ "__type": format!("com.amazonaws.sqs#{kind}"), "message": message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_refused_when_it_breaks_a_rule_that_sqs_documents() {
        let entry = |id: usize, body: &str| json!({ "Id": id.to_string(), "MessageBody": body });
        let batch = |count: usize, body: &str| {
            let entries: Vec<Value> = (0..count).map(|id| entry(id, body)).collect();
            refusal_of_batch(&entries).is_some()
        };
        let tenth = "x".repeat(MAX_BYTES / 10);
        assert!(!batch(10, &tenth));
        assert!(batch(0, "x") && batch(11, "x") && batch(10, &format!("{tenth}x")));
        assert!(refusal_of_batch(&[entry(1, "x"), entry(1, "y")]).is_some());
        for (delay, is_refused) in [(0, false), (900, false), (901, true), (-1, true)] {
            let message = json!({ "MessageBody": "x", "DelaySeconds": delay });
            assert_eq!(refusal_of_body(&message).is_some(), is_refused, "{delay}");
        }
    }

    #[test]
    fn a_message_is_refused_when_it_breaks_a_rule_that_sqs_documents() {
        let kind = |body: &str, group: &str| {
            let message = json!({
                "MessageBody": body,
                "MessageGroupId": group,
                "MessageDeduplicationId": "d",
            });
            refusal(&message).map(|refusal| refusal["__type"].clone())
        };
        let is = |kind: &str| Some(json!(format!("com.amazonaws.sqs#{kind}")));
        let longest = "x".repeat(MAX_BYTES);
        for body in ["\t\n\r \u{7f}\u{9b}\u{fffd}\u{1ffff}", &longest] {
            assert_eq!(kind(body, "g"), None);
        }
        for body in ["\u{0}", "\u{b}", "\u{fffe}", "\u{ffff}"] {
            assert_eq!(kind(body, "g"), is("InvalidMessageContents"));
        }
        assert_eq!(kind("", "g"), is("MissingParameter"));
        for (body, group) in [
            (format!("{longest}x").as_str(), "g"),
            ("x", ""),
            ("x", "a b"),
        ] {
            assert_eq!(kind(body, group), is("InvalidParameterValue"));
        }
        for (value, is_refused) in [("shop", false), ("", true), ("\u{ffff}", true)] {
            let message = json!({
                "MessageBody": "x",
                "MessageGroupId": "g",
                "MessageDeduplicationId": "d",
                "MessageAttributes": { "a": { "DataType": "String", "StringValue": value } },
            });
            assert_eq!(refusal(&message).is_some(), is_refused, "{value}");
        }
    }
}
