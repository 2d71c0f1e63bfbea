//! Signs requests.
//!
//! Source ([list](crate::sources)): Signature.

use serde::Serialize;
use thiserror::Error;

use super::canonical::{any_number, canonical};
use super::keyring::ProjectKey;
use super::php_number;
use crate::json::{self, JsonError, Limits, Value};

/// The reason why a request could not be signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// The request could not be serialised.
    #[error("the message cannot be serialised: {0}")]
    Serialise(#[from] serde_json::Error),
    /// The serialised request exceeds the limits of the reader.
    #[error(transparent)]
    Read(#[from] JsonError),
    /// A number has an exponent, or has a fraction that PHP prints differently, such as `10.0`.
    #[error("a number has an exponent or a fraction whose signed form is not documented")]
    AmbiguousNumber,
}

/// Returns the canonical string of a request, computed from the JSON text of the request.
pub fn canonical_of<M: Serialize>(message: &M) -> Result<Vec<u8>, SignError> {
    let text = serde_json::to_vec(message)?;
    canonical_to_sign(&json::parse(&text, Limits::CALLBACK)?)
}

/// Returns the canonical string of a message that is about to be signed.
///
/// Fails if a number has an exponent, or has a fraction that PHP prints differently.
pub fn canonical_to_sign(message: &Value<'_>) -> Result<Vec<u8>, SignError> {
    let is_ambiguous = |token: &str| token.contains(['e', 'E']) || php_number::is_respelled(token);
    if any_number(message, is_ambiguous) {
        return Err(SignError::AmbiguousNumber);
    }
    Ok(canonical(message))
}

/// Returns the signed body of a request; `put` stores the signature in the request.
pub(crate) fn signed_request<M: Serialize>(
    mut message: M,
    key: &ProjectKey,
    put: impl FnOnce(&mut M, String),
) -> Result<Vec<u8>, SignError> {
    let signature = key.sign(&canonical_of(&message)?);
    put(&mut message, signature.to_base64());
    Ok(serde_json::to_vec(&message)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_signed_only_if_php_prints_it_as_it_is_written() {
        let sign = |text: &str| {
            let message = json::parse(text.as_bytes(), Limits::CALLBACK).unwrap();
            canonical_to_sign(&message).ok()
        };
        for (text, canonical) in [
            (r#"{"a":0.5,"b":[-3.75]}"#, "a:0.5;b:0:-3.75"),
            (
                r#"{"a":-0,"b":12345678901234567890}"#,
                "a:-0;b:12345678901234567890",
            ),
        ] {
            assert_eq!(sign(text).as_deref(), Some(canonical.as_bytes()), "{text}");
        }
        for text in [
            "10.0",
            "1.50",
            "1e3",
            "1.0E-7",
            "1.0E+25",
            "0.12345678901234567",
            "1.500000000000000000000000",
        ] {
            assert_eq!(sign(text), None, "{text}");
            let nested = format!(r#"{{"a":[{{"b":{text}}}]}}"#);
            assert_eq!(sign(&nested), None, "{text}");
        }
    }
}
