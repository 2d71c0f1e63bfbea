//! What the corpus' callbacks make of a payment: one alone, and every two of them in both orders.
//!
//! `tests/data/ends.tsv` says what must come out. It was written from the rules of the product, by
//! other means than the code under test.

use std::path::PathBuf;

use super::story::*;

struct End {
    callbacks: Vec<String>,
    expected: String,
}

fn ends() -> Vec<End> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/ends.tsv");
    let table = std::fs::read_to_string(file).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let callbacks = columns[..2].iter().filter(|name| **name != "-");
            End {
                callbacks: callbacks.map(|name| name.to_string()).collect(),
                expected: columns[2..].join(" "),
            }
        })
        .collect()
}

fn end_of(story: &Story) -> String {
    let payment = &story.payment;
    let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let reasons: Vec<String> = payment
        .quarantine()
        .into_iter()
        .map(|reason| word(serde_json::to_value(reason).unwrap()))
        .collect();
    let reasons = match reasons.as_slice() {
        [] => "-".to_owned(),
        some => some.join(","),
    };
    format!(
        "{} {} {} {} {reasons}",
        word(serde_json::to_value(payment.status()).unwrap()),
        payment.paid_amount(),
        payment.refunded_amount(),
        payment.pending_refund_amount(),
    )
}

#[test]
fn every_callback_and_every_two_end_as_the_table_says() {
    let ends = ends();
    assert_eq!(ends.len(), 56 + 56 * 55 / 2);
    let mut wrong = Vec::new();
    for End {
        callbacks,
        expected,
    } in ends
    {
        let forwards: Vec<&String> = callbacks.iter().collect();
        let backwards: Vec<&String> = callbacks.iter().rev().collect();
        for order in [forwards, backwards] {
            let mut story = Story::begin();
            for callback in &order {
                story.hear(callback);
            }
            let end = end_of(&story);
            if end != expected {
                wrong.push(format!("{order:?}: {end}, not {expected}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
