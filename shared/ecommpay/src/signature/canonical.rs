//! Makes the canonical string of a received message, with its numbers as they are written or as PHP prints them.
//!
//! Source ([list](crate::sources)): Signature.

use super::lines::Lines;
use crate::json::Value;

/// Returns the canonical string of a message, with every number as it is written.
///
/// For an object with two equal keys, the order of the lines is not defined. The reader refuses such an object.
pub fn canonical(message: &Value<'_>) -> Vec<u8> {
    Lines::of(message).into_string()
}

/// Returns the canonical string with fractions and exponents written as PHP prints them. Returns `None` if this string
/// would be equal to [`canonical`]. Also returns `None` if the message has too many fractions and exponents: more than
/// 16, and more than one for each 256 bytes of the canonical string.
///
/// The platform does not document how fractions are signed, and refers to the PHP SDK. Use this string only to verify,
/// never to sign: PHP prints some different numbers alike, such as `10.0` and `10`. For a message with such a number,
/// [`may_be_reframed`](super::may_be_reframed) returns true.
///
/// Source: an assumption.
pub fn canonical_as_php(message: &Value<'_>) -> Option<Vec<u8>> {
    Lines::of(message).as_php()
}

/// Returns whether `matches` is true for at least one number of the message.
pub(super) fn any_number(value: &Value<'_>, matches: fn(&str) -> bool) -> bool {
    match value {
        Value::Number(token) => matches(token),
        Value::Array(elements) => elements.iter().any(|element| any_number(element, matches)),
        Value::Object(members) => members
            .iter()
            .any(|(_, member)| any_number(member, matches)),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}
