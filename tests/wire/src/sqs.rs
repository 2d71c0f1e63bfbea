//! Refuses the messages that SQS refuses.
//!
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>

use serde_json::{Value, json};

/// The maximum size of a message in bytes, as the template sets it for each queue.
const MAX_BYTES: usize = 1_024 * 1_024;

/// Returns SQS's refusal of a `SendMessage` request, or `None` if SQS accepts the message.
pub(crate) fn refusal(message: &Value) -> Option<Value> {
    let field = |name: &str| message.get(name).and_then(Value::as_str);
    let body = field("MessageBody").unwrap_or_default();
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
    for name in ["MessageGroupId", "MessageDeduplicationId"] {
        if !field(name).is_some_and(is_id) {
            return Some(error("InvalidParameterValue", name));
        }
    }
    None
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// A group and a deduplication id have up to 128 letters, digits and punctuation marks.
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
    fn a_message_is_refused_for_the_reasons_that_sqs_documents() {
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
    }
}
