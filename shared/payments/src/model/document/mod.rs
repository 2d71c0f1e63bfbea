//! Reads and writes the stored document of a payment (`shared/decisions/state/0038-two-releases.md`).
//!
//! A *word* is a stored value that has a fixed set of possible values, such as a status. Two releases can work on one
//! table at the same time. So a document can have fields and words that this release does not know. Each write of this
//! release keeps the unknown fields and words. `merge.rs` lists the exceptions.

mod merge;
mod words;

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::payment::Payment;
use crate::json_text::to_json_string;

/// A document that was read. It possibly has fields or words that this release does not know. `Debug` hides the
/// content, because the content can be personal data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Residue(
    /// `None` if this release knows everything in the document.
    Option<Arc<Document>>,
);

struct Document {
    text: Box<str>,
    /// Whether this release knows everything in the document. The computation is slow, so it waits until a write needs
    /// the value.
    is_known: OnceLock<bool>,
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Document {}

impl fmt::Debug for Residue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Residue(hidden)")
    }
}

impl Residue {
    pub(crate) fn of(document: &str) -> Self {
        Self(Some(Arc::new(Document {
            text: document.into(),
            is_known: OnceLock::new(),
        })))
    }

    /// Whether this release knows everything in the document. If the caller passes the payment that was read from the
    /// document, the document usually need not be parsed again.
    pub(crate) fn is_empty(&self, payment: Option<&Payment>) -> bool {
        let Some(document) = &self.0 else {
            return true;
        };
        let is_whole = |payment: &Payment| to_json_string(payment) == *document.text;
        *document.is_known.get_or_init(|| {
            payment.is_some_and(is_whole) || parse(&document.text).is_ok_and(|read| is_whole(&read))
        })
    }
}

/// Reads a document. Ignores the fields that this release does not know, and replaces the words that it does not know.
/// A payment with an unknown word needs a newer release ([`Payment::needs_newer_release`]).
pub fn read(document: &str) -> serde_json::Result<(Payment, Residue)> {
    let mut payment = parse(document)?;
    if payment.has_underived_facts() {
        payment.derive_skipped();
    }
    Ok((payment, Residue::of(document)))
}

fn parse(document: &str) -> serde_json::Result<Payment> {
    serde_json::from_str(document)
        .or_else(|error| words::parse_with_replaced_words(document).ok_or(error))
}

/// Returns the document of a payment, with the unknown fields and words of `over`. `over` is the document that the
/// write replaces.
pub fn write(payment: &Payment, over: &Residue) -> String {
    let stored = over.0.as_ref().filter(|_| !over.is_empty(None));
    let merged = stored.and_then(|stored| {
        let before = parse(&stored.text).ok()?;
        merge::merge(payment, &before, &stored.text)
    });
    merged.unwrap_or_else(|| to_json_string(payment))
}
