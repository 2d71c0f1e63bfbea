//! Signs the platform's own messages, of any size.
//!
//! The readers of merchants have limits; the platform has none, so a payment with thousands of operations is signed
//! like any other.

use ecommpay::ProjectKey;
use ecommpay::json::{self, Limits};
use ecommpay::signature::{self, SignError};
use serde::Serialize;

const ANY_SIZE: Limits = Limits {
    bytes: usize::MAX,
    depth: Limits::CALLBACK.depth,
    keys: usize::MAX,
    canonical: usize::MAX,
};

/// The signature of a message, over the text that will be sent.
pub fn sign<M: Serialize>(message: &M, key: &ProjectKey) -> Result<String, SignError> {
    let text = serde_json::to_vec(message)?;
    let canonical = signature::canonical_to_sign(&json::parse(&text, ANY_SIZE)?)?;
    Ok(key.sign(&canonical).to_base64())
}
