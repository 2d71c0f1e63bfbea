//! Explains to an operator why a saved callback does not verify.
//!
//! An explanation says what is wrong with the body, or which change makes the body verify. The explanation marks what
//! is only probable. It contains no key, no signature, and no value of the body except for the project id.

mod altered;
mod explanation;
mod malformed;
mod mismatch;
#[cfg(test)]
mod tests;
mod unsigned;

use ecommpay::json::{self, Limits};

pub use self::explanation::Explanation;
use super::verify::{Refusal, verify};
use crate::service::project_keys::ProjectKeys;

/// Returns why a body does not verify; `None` if it verifies.
pub fn explain(body: &[u8], keys: &ProjectKeys) -> Option<Explanation> {
    let refusal = verify(body, keys).err()?;
    Some(match (refusal, json::parse(body, Limits::CALLBACK)) {
        (Refusal::Malformed(error), _) | (_, Err(error)) => malformed::explain(body, error, keys),
        (_, Ok(message)) => unsigned::explain(&message, keys),
    })
}
