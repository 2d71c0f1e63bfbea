//! Detects reframed messages. The signature of a reframed message could belong to another message.
//!
//! Source ([list](crate::sources)): Payment Page.

use super::lines::is_signed;
use super::php_number;
use crate::json::Value;

/// Returns whether a message could have been made from another message with the same signature. The caller must treat
/// such a message as a hint, never as a fact.
///
/// - Lines are joined with `;`, and values are not escaped. So a value that holds `;` and later `:` can contain lines
///   of another message.
/// - At the top level, an empty key does not appear in the path. Below the top level, an empty key looks like a
///   separator. A colon at the start or end of a key also looks like a separator. A `;` in a key ends a line.
/// - A number that PHP prints differently can have the string of another number: `37493000003351.0` verifies
///   with the signature of `37493000003351` and is read as a different id.
///
/// A colon can also move from a value into the path. This function does not detect a moved colon, but
/// [`has_sound_shape`](crate::report::has_sound_shape) does for the fields that are read.
pub fn may_be_reframed(value: &Value<'_>) -> bool {
    match value {
        Value::String(text) => text
            .split_once(';')
            .is_some_and(|(_, after)| after.contains(':')),
        Value::Array(elements) => elements.iter().any(may_be_reframed),
        Value::Object(members) => members.iter().any(|(key, member)| {
            let is_ambiguous_key =
                key.is_empty() || key.starts_with(':') || key.ends_with(':') || key.contains(';');
            is_ambiguous_key || is_signed(key) && may_be_reframed(member)
        }),
        Value::Number(token) => php_number::is_respelled(token),
        Value::Null | Value::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    #[test]
    fn a_message_may_be_reframed_if_a_key_value_or_number_can_stand_for_other_lines() {
        let is_reframed = |text: &str| {
            let message = parse(text.as_bytes(), Limits::CALLBACK).unwrap();
            may_be_reframed(&message)
        };
        for text in [
            r#"{"a":"x;b:y"}"#,
            r#"{"a":["x;;b c:"]}"#,
            r#"{"a":{"b":{"c":"x; y:z"}}}"#,
            r#"{"a":"1;general:signature:x","signature":"s"}"#,
            r#"{"":{"payment":1}}"#,
            r#"{"a":{":b":1}}"#,
            r#"{"a:":{"b":1}}"#,
            r#"{"a:1;b":2}"#,
            r#"{"operation":{"id":37493000003351.0}}"#,
            r#"{"a":[1e3]}"#,
        ] {
            assert!(is_reframed(text), "{text}");
        }
        for text in [
            r#"{"a":"x:y;z","b":";","c":":"}"#,
            r#"{"a":[1,true,null,"x"],"b:c":"d"}"#,
            r#"{"signature":"x;y:z"}"#,
            r#"{"a":{"frame_mode":"x;y:z","signature":{"":10.0}}}"#,
            r#"{"a":-1.5,"b":12345678901234567890}"#,
        ] {
            assert!(!is_reframed(text), "{text}");
        }
    }
}
