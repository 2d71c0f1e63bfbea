//! Tests that a document with an unknown word stays readable.

use std::collections::BTreeSet;

use payments::model::document::{self, Residue};
use serde_json::{Value, json};

use super::stored::payments;

/// The pointers to texts that are not words: currencies, times, and the short texts of operations and refunds. A
/// document with an unknown text in such a place is unreadable. The form of these texts never changes.
const NO_WORDS: [&str; 9] = [
    "/attempt/repeated_at",
    "/decisions/*/at",
    "/emitted/paid_since",
    "/order/currency",
    "/polling/last_activity_at",
    "/polling/recheck/since",
    "/refunds/*",
    "/refunds/*/created_at",
    "/reported/newest_answer/received_at",
];

/// Returns the pointers to all texts of a document.
fn texts(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(pointer.to_owned()),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                texts(element, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                texts(field, &format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn an_unknown_text_anywhere_leaves_the_document_readable() {
    let mut unreadable = BTreeSet::new();
    for (_, payment) in payments() {
        let written = document::write(&payment, &Residue::default());
        let known: Value = serde_json::from_str(&written).unwrap();
        let mut pointers = Vec::new();
        texts(&known, "", &mut pointers);
        for pointer in pointers {
            let mut newer = known.clone();
            *newer.pointer_mut(&pointer).unwrap() = json!("next_word");
            if document::read(&newer.to_string()).is_err() {
                let steps = pointer.split('/').map(|step| match step.parse::<u64>() {
                    Ok(_) => "*",
                    Err(_) => step,
                });
                unreadable.insert(steps.collect::<Vec<_>>().join("/"));
            }
        }
    }
    assert_eq!(unreadable, NO_WORDS.map(str::to_owned).into());
}
