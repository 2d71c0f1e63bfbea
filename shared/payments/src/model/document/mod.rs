//! Reads and writes the stored document of a payment (`shared/decisions/state/0038-two-releases.md`).
//!
//! Two releases can work on one table at the same time. So a document can have fields and words that this release does
//! not know. They survive each write of this release.

mod merge;
mod words;

use std::fmt;
use std::sync::Arc;

use super::payment::Payment;
use crate::json_text::to_json_string;

/// What a stored document has in addition to the payment. `Debug` hides the content, because it can be personal data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Residue(
    /// The whole document; `None` if this release knows everything in it.
    Option<Arc<str>>,
);

impl fmt::Debug for Residue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Residue(hidden)")
    }
}

impl Residue {
    /// Whether this release knows everything in the document.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn of(document: &str, payment: &Payment) -> Self {
        let is_known = to_json_string(payment) == document;
        Self((!is_known).then(|| document.into()))
    }
}

/// Reads a document. Ignores the fields that this release does not know, and replaces such words. A payment with such a
/// word needs a newer release ([`Payment::needs_newer_release`]).
pub fn read(document: &str) -> serde_json::Result<(Payment, Residue)> {
    let mut payment = parse(document)?;
    let residue = Residue::of(document, &payment);
    if payment.has_underived_facts() {
        payment.derive_skipped();
    }
    Ok((payment, residue))
}

fn parse(document: &str) -> serde_json::Result<Payment> {
    serde_json::from_str(document)
        .or_else(|error| words::parse_with_replaced_words(document).ok_or(error))
}

/// Writes a document. Adds what only another release knows of the document that is replaced.
pub fn write(payment: &Payment, over: &Residue) -> String {
    let merged = over.0.as_deref().and_then(|stored| {
        let before = parse(stored).ok()?;
        merge::merge(payment, &before, stored)
    });
    merged.unwrap_or_else(|| to_json_string(payment))
}
