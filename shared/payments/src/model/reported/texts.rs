//! Cuts the texts from reports and from Gate's answers before a payment stores them. The limits are in bytes.
//!
//! The documented statuses, types and currencies are shorter than the limits. So a cut never changes the status or an
//! amount.

use ecommpay::operation::OperationType;
use ecommpay::report::Sum;

use crate::sha256;

/// The limit for a status, and for a type.
const MAX_WORD: usize = 64;
/// The limit for a code of the platform.
const MAX_CODE: usize = 32;
const MAX_DATE: usize = 40;
const MAX_CURRENCY: usize = 16;
/// The limit for a `request_id`, and for the merchant's id of a refund. A digest replaces a longer id.
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

pub(in crate::model) fn code(text: &str) -> String {
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

/// Returns a reported id as it is stored. A digest replaces an id that is too long, or that looks like a digest
/// itself. So each stored text in the form of a digest is a digest of ours.
pub(in crate::model) fn id(id: &str) -> String {
    match id.len() > MAX_ID || is_digest(&id.to_ascii_lowercase()) {
        true => new_digest(id),
        false => id.to_owned(),
    }
}

fn new_digest(id: &str) -> String {
    format!("#{}", sha256::start_of_hex(id.as_bytes(), DIGITS))
}

/// Whether a stored id has the form of a digest.
pub(in crate::model) fn is_digest(id: &str) -> bool {
    let digits = id.strip_prefix('#').unwrap_or_default();
    digits.len() == DIGITS
        && digits
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns the digest of a stored id. If the id is a digest already, returns it unchanged.
pub(in crate::model) fn digest_of_id(id: &str) -> String {
    match is_digest(id) {
        true => id.to_owned(),
        false => new_digest(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reported_id_that_has_the_form_of_a_digest_is_replaced() {
        let digest = digest_of_id("r-1");
        for reported in [digest.clone(), digest.to_ascii_uppercase()] {
            let stored = id(&reported);
            assert!(is_digest(&stored), "{stored}");
            assert_ne!(stored, digest);
            assert_eq!(digest_of_id(&stored), stored);
        }
        assert_eq!(id("#r-1"), "#r-1");
    }

    #[test]
    fn a_text_is_a_digest_only_if_it_has_the_form_of_a_digest() {
        assert!(is_digest(&digest_of_id("request-1")));
        for text in [
            "#a|Ss;99;;;;;",
            "#0123456789AB",
            "0123456789abc",
            "#0123456789a",
            "",
        ] {
            assert!(!is_digest(text), "{text}");
        }
    }
}
