//! Signs the platform's messages, and verifies the messages of merchants.
//!
//! Merchants limit the size of a message. The platform has no limit, so it also signs a status answer with thousands of
//! operations.

use ecommpay::json::{self, Limits};
use ecommpay::signature::{self, SignError};
use ecommpay::{ProjectKey, Signature};

use super::object::Object;
use super::php_json;

const ANY_SIZE: Limits = Limits {
    bytes: usize::MAX,
    depth: Limits::CALLBACK.depth,
    keys: usize::MAX,
    canonical: usize::MAX,
};

/// The platform has only one project.
pub struct Project {
    pub id: u32,
    pub key: ProjectKey,
}

/// Adds the signature as the last member.
pub fn signed(message: Object, key: &ProjectKey) -> Result<Vec<u8>, SignError> {
    let text = serde_json::to_vec(&message)?;
    let canonical = signature::canonical_to_sign(&json::parse(&text, ANY_SIZE)?)?;
    let signature = key.sign(&canonical).to_base64();
    Ok(php_json::to_vec(&message.with("signature", signature))?)
}

/// `signature` is in base64.
pub fn verifies(key: &ProjectKey, canonical: &[u8], signature: &str) -> bool {
    let signature = Signature::from_base64(signature);
    signature.is_some_and(|signature| key.verifies(canonical, &signature))
}
