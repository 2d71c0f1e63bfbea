//! Checks that every field of a message has the kind of value that its reader expects.
//!
//! The canonical string does not show where a path ends and its value begins, so `"url":"https://bank"` and
//! `"url":{"https":"//bank"}` have the same signature. A list has the same signature as an object with the keys 0, 1
//! and so on. `true` has the same signature as `1`. By exchanging such forms, an attacker can hide a field from the
//! reader, but cannot give a field a value that was not signed.
//!
//! Sources ([list](crate::sources)): Gate, status; Callbacks.

use crate::json::Value;

/// Returns whether every field that [`Report`](super::Report) or [`StatusAnswer`](crate::answer::StatusAnswer) reads
/// has the expected kind of value. If this function returns false, a change that the signature does not cover can have
/// hidden a field. The caller must treat such a message as a hint, never as a fact.
///
/// Each field can be missing, `null` or an empty list. Otherwise these kinds are expected:
/// - for a text: a string or a number;
/// - for an object: an object;
/// - for a list: a list or an empty object.
///
/// An operation with an id must have a type and a status.
pub fn has_sound_shape(message: &Value<'_>) -> bool {
    matches!(message, Value::Object(_))
        && texts(message, &["project_id", "request_id", "status", "code"])
        && object(message.get("general"), |general| {
            texts(general, &["project_id", "payment_id"])
        })
        && object(message.get("payment"), payment)
        && sum(message.get("sum_real"))
        && object(message.get("operation"), operation)
        && list(message.get("operations"), operation)
        && list(message.get("errors"), error)
        && object(message.get("redirect_data"), redirect)
        && object(message.get("redirectData"), redirect)
        && (is_text(message.get("return_url")) || object(message.get("return_url"), redirect))
        && object(message.get("clarification_fields"), clarification)
}

fn payment(payment: &Value<'_>) -> bool {
    texts(
        payment,
        &["id", "type", "status", "date", "merchant_refund_id"],
    ) && sum(payment.get("sum"))
}

fn operation(operation: &Value<'_>) -> bool {
    let is_whole = |key: &str| operation.text_at(key).is_some();
    texts(
        operation,
        &[
            "id",
            "type",
            "status",
            "date",
            "created_date",
            "request_id",
            "code",
            "message",
            "merchant_refund_id",
        ],
    ) && sum(operation.get("sum_initial"))
        && sum(operation.get("sum_converted"))
        && sum(operation.get("sum"))
        && (!is_whole("id") || is_whole("type") && is_whole("status"))
}

fn error(error: &Value<'_>) -> bool {
    texts(error, &["code", "message", "field"])
}

fn sum(value: Option<&Value<'_>>) -> bool {
    object(value, |sum| texts(sum, &["amount", "currency"]))
}

fn redirect(redirect: &Value<'_>) -> bool {
    texts(redirect, &["method", "url"]) && object(redirect.get("body"), |_| true)
}

/// Accepts the list form and the schema form. An entry of the list form is a name, or an object of such lists.
fn clarification(fields: &Value<'_>) -> bool {
    fields.members().iter().all(|(_, form)| match form {
        Value::Array(entries) => entries
            .iter()
            .all(|entry| is_name(entry) || object(Some(entry), clarification)),
        schema => {
            let described = schema.get("properties");
            described.is_some() && object(described, |_| true) && names(schema.get("required"))
        }
    })
}

/// Returns whether a value is a text without a colon. A text with a colon could have been an object, because the text
/// and the object have the same signature.
fn is_name(value: &Value<'_>) -> bool {
    value.as_str().is_some_and(|name| !name.contains(':'))
}

fn names(value: Option<&Value<'_>>) -> bool {
    match value {
        Some(Value::Array(elements)) => elements.iter().all(is_name),
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Null) | None => true,
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => false,
    }
}

fn texts(value: &Value<'_>, keys: &[&str]) -> bool {
    keys.iter().all(|key| is_text(value.get(key)))
}

fn is_text(value: Option<&Value<'_>>) -> bool {
    match value {
        Some(Value::Bool(_) | Value::Object(_)) => false,
        Some(Value::Array(elements)) => elements.is_empty(),
        Some(Value::Null | Value::Number(_) | Value::String(_)) | None => true,
    }
}

fn object(value: Option<&Value<'_>>, is_sound: impl Fn(&Value<'_>) -> bool) -> bool {
    match value {
        Some(object @ Value::Object(_)) => is_sound(object),
        Some(Value::Array(elements)) => elements.is_empty(),
        Some(Value::Null) | None => true,
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => false,
    }
}

fn list(value: Option<&Value<'_>>, is_sound: impl Fn(&Value<'_>) -> bool) -> bool {
    match value {
        Some(Value::Array(elements)) => elements
            .iter()
            .all(|element| object(Some(element), &is_sound)),
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Null) | None => true,
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    fn is_sound(text: &str) -> bool {
        has_sound_shape(&parse(text.as_bytes(), Limits::CALLBACK).unwrap())
    }

    #[test]
    fn the_forms_that_the_platform_sends_are_sound() {
        for text in [
            "{}",
            r#"{"project_id":"211","general":{"payment_id":"p"},"payment":{"id":"p","sum":null,"status":[]}}"#,
            r#"{"payment":[],"operation":null,"errors":{},"operations":[],"redirect_data":{}}"#,
            r#"{"operation":{"id":7,"type":"sale","status":"success","provider":{"id":1}},"errors":[{"code":1},null,{}]}"#,
            r#"{"redirect_data":{"method":"GET","url":"https://bank/x:y","body":{"a":{"b":["c"]}}}}"#,
            r#"{"redirect_data":{"method":"GET","url":"x","body":[],"encrypted":[]},"return_url":"https://shop"}"#,
            r#"{"return_url":{"method":"POST","url":"https://bank","body":{"a":"b"}}}"#,
            r#"{"clarification_fields":{"customer":["email",{"billing":["address"]}],"avs":{"type":"object","properties":{"a":{}}}}}"#,
            r#"{"clarification_fields":{"customer":[],"avs":{"properties":[]}}}"#,
            r#"{"clarification_fields":{"customer":{"required":["email"],"properties":{"email":{}},"errors":[{"property":"email"}]}}}"#,
            r#"{"clarification_fields":{"customer":{"required":{},"properties":{}},"avs":{"required":null,"properties":{}}}}"#,
            r#"{"payment":{"type":"invoice"},"operation":{"sum_converted":{"amount":"10","currency":"EUR"}}}"#,
            r#"{"status":"error","code":3061,"message":"Transaction not found"}"#,
        ] {
            assert!(is_sound(text), "{text}");
        }
    }

    #[test]
    fn a_message_is_not_sound_if_the_reader_would_miss_a_field() {
        for text in [
            "[]",
            r#""project_id:211""#,
            r#"{"project_id":{"2":1}}"#,
            r#"{"request_id":{}}"#,
            r#"{"status":["success"]}"#,
            r#"{"general":"payment_id:p"}"#,
            r#"{"general":["p"]}"#,
            r#"{"general":{"project_id":true}}"#,
            r#"{"general":{"payment_id":{"a":"b"}}}"#,
            r#"{"payment":"id:p"}"#,
            r#"{"payment":7}"#,
            r#"{"payment":{"id":{"a":"b"}}}"#,
            r#"{"payment":{"status":{"a":"b"}}}"#,
            r#"{"payment":{"date":{"2019-07-02T09":"28:29+0000"}}}"#,
            r#"{"payment":{"merchant_refund_id":{"a":"b"}}}"#,
            r#"{"payment":{"sum":"amount:1000"}}"#,
            r#"{"payment":{"sum":{"amount":true}}}"#,
            r#"{"payment":{"sum":{"currency":{}}}}"#,
            r#"{"sum_real":"amount:1000"}"#,
            r#"{"operation":"id:7"}"#,
            r#"{"operation":{"id":true}}"#,
            r#"{"operation":{"type":{}}}"#,
            r#"{"operation":{"date":{"2019-07-02T09":"28:29+0000"}}}"#,
            r#"{"operation":{"request_id":{"a":"b"}}}"#,
            r#"{"operation":{"code":false}}"#,
            r#"{"operation":{"message":{"a":"b"}}}"#,
            r#"{"operation":{"merchant_refund_id":{"a":"b"}}}"#,
            r#"{"operation":{"sum_initial":"amount:1000"}}"#,
            r#"{"operation":{"sum":{"amount":{"1":0}}}}"#,
            r#"{"operation":{"id":7,"type":"sale"}}"#,
            r#"{"operation":{"id":7,"status":"success"}}"#,
            r#"{"operation":{"id":7,"type":"sale","status":null}}"#,
            r#"{"operations":{"0":{"id":7,"type":"sale","status":"success"}}}"#,
            r#"{"operations":["id:7"]}"#,
            r#"{"operations":"0:id:7"}"#,
            r#"{"operations":[{"id":7}]}"#,
            r#"{"errors":{"0":{"code":1}}}"#,
            r#"{"errors":["code:1"]}"#,
            r#"{"errors":[{"code":true}]}"#,
            r#"{"errors":[{"message":{"a":"b"}}]}"#,
            r#"{"errors":[{"field":{"a":"b"}}]}"#,
            r#"{"errors":true}"#,
            r#"{"redirect_data":{"method":"GET","url":{"https":"//bank/x"}}}"#,
            r#"{"redirect_data":{"method":true,"url":"https://bank/x"}}"#,
            r#"{"redirect_data":{"method":"GET","url":"https://bank/x","body":"a:b"}}"#,
            r#"{"redirect_data":{"method":"GET","url":"https://bank/x","body":["b"]}}"#,
            r#"{"redirect_data":"method:GET"}"#,
            r#"{"redirectData":{"url":{"https":"//bank/x"}}}"#,
            r#"{"return_url":{"url":{"https":"//bank/x"}}}"#,
            r#"{"return_url":true}"#,
            r#"{"clarification_fields":"customer:0:email"}"#,
            r#"{"clarification_fields":{"customer":"0:email"}}"#,
            r#"{"clarification_fields":{"customer":{"0":"email"}}}"#,
            r#"{"clarification_fields":{"customer":[true]}}"#,
            r#"{"clarification_fields":{"customer":["billing:0:address"]}}"#,
            r#"{"clarification_fields":{"customer":[{"billing":"0:address"}]}}"#,
            r#"{"clarification_fields":{"customer":{"properties":"email:x"}}}"#,
            r#"{"clarification_fields":{"customer":{"required":"0:email","properties":{}}}}"#,
            r#"{"clarification_fields":{"customer":{"required":{"0":"email"},"properties":{}}}}"#,
            r#"{"clarification_fields":{"customer":{"required":[{"a":"b"}],"properties":{}}}}"#,
            r#"{"clarification_fields":{"customer":{"required":["a:b"],"properties":{}}}}"#,
            r#"{"clarification_fields":{"customer":{"required":["email"]}}}"#,
            r#"{"payment":{"type":{"a":"b"}}}"#,
            r#"{"operation":{"sum_converted":"amount:1000"}}"#,
            r#"{"status":"error","code":true}"#,
        ] {
            assert!(!is_sound(text), "{text}");
        }
    }
}
