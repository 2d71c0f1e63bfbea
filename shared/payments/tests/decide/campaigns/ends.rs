//! Tests that payments end as the table `tests/data/ends.tsv` says. Each row has one, two or three message bodies, and
//! the end of the payment after these bodies. The end must be the same in every order. The table was derived from the
//! rules, without the code under test.

use serde_json::{Value, json};

use crate::fixtures::*;

/// Returns the end of a payment in the format of the table: status, amounts, quarantine reasons.
fn end_of(payment: &TestPayment) -> String {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    let reasons = payment.quarantine_reasons().into_iter();
    let reasons = Vec::from_iter(reasons.map(|reason| word(json!(reason))));
    let reasons = match reasons.as_slice() {
        [] => "-".to_owned(),
        some => some.join(","),
    };
    format!(
        "{} {} {} {} {reasons}",
        word(json!(payment.status())),
        payment.paid_amount(),
        payment.refunded_amount(),
        payment.pending_refund_amount(),
    )
}

#[test]
fn every_body_pair_and_triple_ends_as_the_table_says() {
    let table = std::fs::read_to_string(data_file("ends.tsv")).unwrap();
    let rows = Vec::from_iter(table.lines().filter(|line| !line.starts_with('#')));
    assert!(rows.len() > 5_000);
    let mut wrong = Vec::new();
    for row in rows {
        let columns: Vec<&str> = row.split('\t').collect();
        let (reports, expected) = (&columns[..3], columns[3..].join(" "));
        let reports = reports.iter().copied().filter(|name| *name != "-");
        for order in permutations(&Vec::from_iter(reports)) {
            let mut payment = TestPayment::created();
            for report in &order {
                payment.report(report);
            }
            let end = end_of(&payment);
            if end != expected {
                wrong.push(format!("{order:?}: {end}, not {expected}"));
            }
        }
    }
    let first = Vec::from_iter(wrong.iter().take(100).map(String::as_str));
    let count = wrong.len();
    assert_eq!(
        count,
        0,
        "{count} orders end differently from the table:\n{}",
        first.join("\n")
    );
}
