//! Creates a signed link from any parameters of Payment Page.
//!
//! Sources ([list](crate::sources)): Signature; Payment Page.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

use crate::json::Value;
use crate::signature::keyring::ProjectKey;
use crate::signature::{SignError, canonical_to_sign};

/// The address of the platform's Payment Page.
pub const PAYMENT_PAGE: &str = "https://paymentpage.ecommpay.com/payment";

/// The characters that are percent-encoded: all except the unreserved characters of RFC 3986.
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The reason why no link was created.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The parameters are not a JSON object.
    #[error("the parameters must be one object")]
    NotAnObject,
    /// A parameter is `null`, an array or an object.
    #[error("the parameter {0} must be a text, a number, true or false")]
    NotAScalar(String),
    /// A name or a value has a semicolon or a control character. After a semicolon, another parameter could be hidden
    /// under the same signature.
    #[error("the parameter {0} must not contain a semicolon or a control character")]
    Separator(String),
    /// A parameter has an empty value.
    #[error("the parameter {0} must not be empty")]
    Empty(String),
    /// The parameters include a signature.
    #[error("the parameters are signed already")]
    Signed,
    /// The parameters could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Returns the signed link with these parameters, in the order of the object. If `base` has a query, the query stays in
/// front of the parameters. The signature does not cover the query.
pub fn link(base: &str, parameters: &Value<'_>, key: &ProjectKey) -> Result<String, LinkError> {
    if !matches!(parameters, Value::Object(_)) {
        return Err(LinkError::NotAnObject);
    }
    let mut address = String::from(base);
    let mut separator = if base.contains('?') { '&' } else { '?' };
    for (name, value) in parameters.members() {
        if name == "signature" {
            return Err(LinkError::Signed);
        }
        // `true` is written as 1 and `false` as 0, as in the canonical string.
        let text = match value {
            Value::String(text) => text.as_ref(),
            Value::Number(token) => token,
            Value::Bool(flag) => match flag {
                true => "1",
                false => "0",
            },
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(LinkError::NotAScalar(name.to_string()));
            }
        };
        if text.is_empty() {
            return Err(LinkError::Empty(name.to_string()));
        }
        let is_ambiguous = |text: &str| text.contains(';') || text.chars().any(char::is_control);
        if is_ambiguous(text) || is_ambiguous(name) {
            return Err(LinkError::Separator(name.to_string()));
        }
        push(&mut address, &mut separator, name, text);
    }
    let signature = key.sign(&canonical_to_sign(parameters)?).to_base64();
    push(&mut address, &mut separator, "signature", &signature);
    Ok(address)
}

fn push(address: &mut String, separator: &mut char, name: &str, value: &str) {
    // Writing to a `String` cannot fail.
    let _ = write!(
        address,
        "{separator}{}={}",
        utf8_percent_encode(name, &ENCODED),
        utf8_percent_encode(value, &ENCODED)
    );
    *separator = '&';
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    #[test]
    fn a_parameter_is_refused_if_it_is_empty_or_not_a_scalar_or_cannot_be_signed_unambiguously() {
        let key = ProjectKey::new("k").unwrap();
        for parameters in [
            r#"{"customer_last_name":"X;payment_amount:1;payment_b:Y"}"#,
            r#"{"a;b":"c"}"#,
            r#"{"a":"b\nc"}"#,
            r#"{"a":["b"]}"#,
            r#"{"a":null}"#,
            r#"{"a":""}"#,
            r#"{"a":1.50}"#,
            r#"{"signature":"x"}"#,
            "[]",
        ] {
            let parameters = parse(parameters.as_bytes(), Limits::CALLBACK).unwrap();
            assert!(
                link(PAYMENT_PAGE, &parameters, &key).is_err(),
                "{parameters:?}"
            );
        }
    }

    #[test]
    fn the_query_of_the_base_stays_in_front_of_the_parameters() {
        let key = ProjectKey::new("k").unwrap();
        let parameters = parse(br#"{"project_id":211}"#, Limits::CALLBACK).unwrap();
        let link = |base: &str| link(base, &parameters, &key).unwrap();
        assert!(link("https://p.example/p").starts_with("https://p.example/p?project_id=211&sig"));
        assert!(
            link("https://p.example/p?a=b").starts_with("https://p.example/p?a=b&project_id=211&")
        );
    }
}
