//! Limits of the texts that a payment stores from the reports, in bytes.
//!
//! A text that decides something is only compared with known words and ids, which are shorter than the limits. Therefore
//! a text that is cut changes no status and no amount.

use ecommpay::operation::OperationType;
use ecommpay::report::Sum;

use crate::sha256;

/// A status or the word of a type.
const MAX_WORD: usize = 64;
/// A code of the platform's list.
const MAX_CODE: usize = 32;
/// A date.
const MAX_DATE: usize = 40;
/// A currency.
const MAX_CURRENCY: usize = 16;
/// A `request_id`, or the merchant's id of a refund. A longer id is replaced by its digest.
const MAX_ID: usize = 100;
/// The number of hexadecimal digits of a digest that replaces an id.
const DIGITS: usize = 12;

fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max))
        .unwrap_or_default()
}

pub(super) fn word(text: &str) -> String {
    cut(text, MAX_WORD).to_owned()
}

pub(super) fn date(text: &str) -> &str {
    cut(text, MAX_DATE)
}

pub(super) fn code(text: &str) -> String {
    cut(text, MAX_CODE).to_owned()
}

pub(super) fn kind(kind: &OperationType) -> OperationType {
    match kind {
        OperationType::Other(text) if text.len() > MAX_WORD => OperationType::Other(word(text)),
        kind => kind.clone(),
    }
}

pub(super) fn sum(sum: &Sum) -> Sum {
    Sum {
        amount: sum.amount,
        currency: cut(&sum.currency, MAX_CURRENCY).to_owned(),
    }
}

/// Returns an id as it is stored: an id that is too long is replaced by its digest.
pub(in crate::model) fn id(id: &str) -> String {
    match id.len() > MAX_ID {
        true => digest_of_id(id),
        false => id.to_owned(),
    }
}

/// Whether a stored id is a digest.
pub(in crate::model) fn is_digest(id: &str) -> bool {
    id.len() == DIGITS + 1 && id.starts_with('#')
}

/// Returns the digest that replaces an id. The digest of a digest is the digest itself.
pub(in crate::model) fn digest_of_id(id: &str) -> String {
    match is_digest(id) {
        true => id.to_owned(),
        false => format!("#{}", sha256::start_of_hex(id.as_bytes(), DIGITS)),
    }
}
