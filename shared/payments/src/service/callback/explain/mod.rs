//! Explains to an operator why a saved callback does not verify.
//!
//! An explanation states what is wrong with the body, or which change makes the body verify. If a statement is only
//! probable, its text says so. An explanation contains no key and no signature. The only value from the body in
//! an explanation is the project id.

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

/// Returns why a body does not verify; `None` if the body verifies.
pub fn explain(body: &[u8], keys: &ProjectKeys) -> Option<Explanation> {
    let refusal = verify(body, keys).err()?;
    Some(match (refusal, json::parse(body, Limits::CALLBACK)) {
        (Refusal::Malformed(error), _) | (_, Err(error)) => malformed::explain(body, error, keys),
        (_, Ok(message)) => unsigned::explain(&message, keys),
    })
}
