//! Replaces the words that this release does not know, so that the document of a newer release can be read.
//!
//! With a replacement, an operation or refund is pending, a request is neither refused nor sent again, and a decision
//! settles nothing. The replacements are never written (`merge.rs`).

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::model::Outcome;
use crate::model::attempt::gate_request::GateRequest;
use crate::model::discrepancy::DiscrepancyKind;
use crate::model::emitted::EmittedState;
use crate::model::order::Channel;
use crate::model::payment::Payment;
use crate::model::quarantine::Verdict;
use crate::model::refunds::refund_status::RefundStatus;
use crate::model::reported::waiting::Redirect;

/// The values at one path of a document. Each value is a word or contains a word.
struct Words {
    /// The path. `*` stands for each element of a list or of a map.
    path: &'static [&'static str],
    /// Whether this release knows the value.
    is_known: fn(&Value) -> bool,
    /// Replaces the value.
    replace: fn(&mut Value),
}

/// All words of a document, except for the words in the short texts of operations and refunds (`short_form.rs`). A
/// short text never gets a new word, because an operation or a refund with a new word is stored as JSON.
const WORDS: [Words; 10] = [
    Words {
        path: &["order", "channel"],
        is_known: is::<Channel>,
        replace: |channel| *channel = json!(Channel::Gate),
    },
    Words {
        path: &["attempt", "request"],
        is_known: is::<GateRequest>,
        replace: accept,
    },
    Words {
        path: &["reported", "operations", "*", "finals", "*", "outcome"],
        is_known: is::<Outcome>,
        // This release stores no final report with the outcome `Pending`, so the replacement equals no known report.
        replace: |outcome| *outcome = json!(Outcome::Pending),
    },
    Words {
        path: &[
            "reported",
            "operations",
            "*",
            "pending",
            "waiting",
            "redirect",
        ],
        is_known: is::<Option<Redirect>>,
        replace: remove,
    },
    Words {
        path: &["refunds", "*", "status"],
        is_known: is::<RefundStatus>,
        replace: |status| *status = json!(RefundStatus::Pending),
    },
    Words {
        path: &["refunds", "*", "request"],
        is_known: is::<GateRequest>,
        replace: accept,
    },
    Words {
        path: &["refunds", "*", "emitted", "status"],
        is_known: is::<Option<RefundStatus>>,
        replace: remove,
    },
    Words {
        path: &["decisions", "*"],
        is_known: |decision| decision.get("verdict").is_some_and(is::<Verdict>),
        replace: |decision| {
            set(decision, "verdict", json!(Verdict::Released));
            set(decision, "items", json!([]));
            set(decision, "all_items", Value::Null);
        },
    },
    Words {
        path: &["discrepancies", "pending", "*", "kind"],
        is_known: is::<DiscrepancyKind>,
        replace: |kind| *kind = json!(DiscrepancyKind::Status),
    },
    Words {
        path: &["emitted", "last"],
        is_known: is::<Option<EmittedState>>,
        replace: remove,
    },
];

fn is<T: DeserializeOwned>(value: &Value) -> bool {
    T::deserialize(value).is_ok()
}

fn accept(request: &mut Value) {
    *request = json!(GateRequest::Accepted {
        request_id: None,
        polls_before: 0
    });
}

fn remove(value: &mut Value) {
    *value = Value::Null;
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(field) = object.get_mut(name) {
        *field = value;
    }
}

/// Parses a document after the replacement of its unknown words. Returns `None` if the document still cannot be read.
pub(super) fn parse_with_replaced_words(document: &str) -> Option<Payment> {
    let mut document: Value = serde_json::from_str(document).ok()?;
    for words in &WORDS {
        words.replace_in(&mut document, words.path);
    }
    let mut payment: Payment = serde_json::from_value(document).ok()?;
    payment.has_unknown_words = true;
    Some(payment)
}

impl Words {
    fn replace_in(&self, value: &mut Value, path: &[&str]) {
        match (path, value) {
            ([], value) if !(self.is_known)(value) => (self.replace)(value),
            (["*", rest @ ..], Value::Array(elements)) => {
                elements
                    .iter_mut()
                    .for_each(|one| self.replace_in(one, rest));
            }
            (["*", rest @ ..], Value::Object(elements)) => {
                elements
                    .values_mut()
                    .for_each(|one| self.replace_in(one, rest));
            }
            ([name, rest @ ..], Value::Object(object)) => {
                if let Some(value) = object.get_mut(*name) {
                    self.replace_in(value, rest);
                }
            }
            _ => {}
        }
    }
}
