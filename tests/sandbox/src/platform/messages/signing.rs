//! Signs the messages of the platform, and verifies the messages of merchants.
//!
//! A merchant can refuse a large message. The platform signs a message of any size, such as a status answer with
//! thousands of operations.

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

/// The only project of the platform.
pub struct Project {
    pub id: u32,
    pub key: ProjectKey,
}

/// Returns a message with its signature as the last member.
pub fn signed(message: Object, key: &ProjectKey) -> Result<Vec<u8>, SignError> {
    let text = serde_json::to_vec(&message)?;
    let canonical = signature::canonical_to_sign(&json::parse(&text, ANY_SIZE)?)?;
    let signature = key.sign(&canonical).to_base64();
    Ok(php_json::to_vec(&message.with("signature", signature))?)
}

/// Whether `signature`, in base64, is the signature of the message with this canonical string.
pub fn verifies(key: &ProjectKey, canonical: &[u8], signature: &str) -> bool {
    let signature = Signature::from_base64(signature);
    signature.is_some_and(|signature| key.verifies(canonical, &signature))
}
