//! Where the bodies of both corpora take a payment: one alone, every two in both orders, and the threes
//! that matter in all orders.
//!
//! `tests/data/ends.tsv` says where. It was written from the rules of the product, by other means than
//! the code under test.

use std::path::PathBuf;

use super::story::*;

struct End {
    reports: Vec<String>,
    expected: String,
}

fn ends() -> Vec<End> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/ends.tsv");
    let table = std::fs::read_to_string(file).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let reports = columns[..3].iter().filter(|name| **name != "-");
            End {
                reports: reports.map(|name| name.to_string()).collect(),
                expected: columns[3..].join(" "),
            }
        })
        .collect()
}

fn end_of(story: &Story) -> String {
    let payment = &story.payment;
    let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let reasons: Vec<String> = payment
        .quarantine_reasons()
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
fn every_report_every_two_and_the_threes_that_matter_end_as_the_table_says() {
    let ends = ends();
    assert!(ends.len() > 5_000);
    let mut wrong = Vec::new();
    for End { reports, expected } in ends {
        let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
        for order in permutations(&reports) {
            let mut story = Story::created();
            for report in &order {
                story.report(report);
            }
            let end = end_of(&story);
            if end != expected {
                wrong.push(format!("{order:?}: {end}, not {expected}"));
            }
        }
    }
    let first: Vec<&str> = wrong.iter().take(100).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        first.join("\n")
    );
}
