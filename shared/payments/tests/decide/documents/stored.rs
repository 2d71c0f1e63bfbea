//! Reads the stored documents of every format in `tests/data/documents`.
//!
//! The folder of a format has documents that a release of this format wrote. A release must read the documents of all
//! earlier formats. `UPDATE_SNAPSHOTS=1` writes the folder of the current format and no other folder. If a change of the
//! stored form changes a file, the change needs a new format.

use std::path::{Path, PathBuf};

use payments::decide::Command;
use payments::model::document::{self, Residue};
use payments::model::schedule::Schedule;
use payments::model::{Format, Payment, Verdict};
use serde_json::Value;

use crate::campaigns::with_two_thousand_operations;
use crate::fixtures::*;
use ecommpay::answer::Answer;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/documents")
}

/// Returns a payment of each kind.
pub fn payments() -> Vec<(&'static str, Payment)> {
    let reviewed = |verdict| {
        let mut payment = TestPayment::with_callbacks(&["amount_differs"]);
        payment.review(verdict).unwrap();
        payment
    };
    let mut refunded = TestPayment::paid();
    refunded.refund_succeeds("r-1", "1001", 400);
    let mut refund_unknown = TestPayment::paid();
    refund_unknown.reserve("r-1", Some(250)).unwrap();
    refund_unknown.refund_answer("r-1", &Answer::Unclear);
    let mut repeated = TestPayment::created();
    repeated.sale_answer(&Answer::Unclear);
    let mut failed = TestPayment::created();
    failed.sale_answer(&refused("2004"));
    let mut second_attempt = failed.fork();
    second_attempt.execute(Command::Retry { order: &order() }, NOW);
    let mut erased = TestPayment::paid();
    let schedule = Schedule::default();
    erased.execute(Command::Erase(&schedule), NOW.after(32 * DAY));
    let mut polled = TestPayment::with_callbacks(&["awaiting_customer"]);
    polled.poll("sale_success");
    let expired = {
        let mut payment = TestPayment::accepted();
        payment.execute(Command::Expire, NOW.after(HOUR));
        payment
    };
    let all = [
        ("created", TestPayment::created()),
        ("link", TestPayment::with_link()),
        ("expired", expired),
        ("outcome_unknown", repeated),
        ("second_attempt", second_attempt),
        ("redirect", TestPayment::with_callbacks(&["redirect_post"])),
        (
            "clarification",
            TestPayment::with_callbacks(&["clarification_several"]),
        ),
        ("paid", TestPayment::paid()),
        ("polled", polled),
        ("refunded", refunded),
        ("refund_unknown", refund_unknown),
        (
            "quarantined",
            TestPayment::with_callbacks(&["amount_differs"]),
        ),
        ("released", reviewed(Verdict::Released)),
        ("rejected", reviewed(Verdict::Rejected)),
        ("erased", erased),
        ("external", TestPayment::external(corpus("sale_success"))),
    ];
    all.into_iter()
        .map(|(name, payment)| (name, Payment::clone(&payment)))
        .collect()
}

#[test]
fn the_stored_documents_of_this_format_do_not_change() {
    let folder = folder().join(Format::CURRENT.number().to_string());
    let large = ("two_thousand_operations", with_two_thousand_operations());
    for (name, payment) in payments().into_iter().chain([large]) {
        let document = document::write(&payment, &Residue::default());
        assert!(document.starts_with("{\"format\":"), "{name}");
        snapshots::check(&folder.join(format!("{name}.json")), &document).unwrap();
    }
}

#[test]
fn the_documents_of_every_format_are_read_and_written_without_a_loss() {
    let mut formats = 0;
    for format in std::fs::read_dir(folder()).unwrap() {
        formats += 1;
        for file in std::fs::read_dir(format.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let stored = std::fs::read_to_string(&path).unwrap();
            let (payment, residue) = document::read(&stored).unwrap();
            let written = document::write(&payment, &residue);
            let [stored, written] =
                [stored, written].map(|text| serde_json::from_str::<Value>(&text).unwrap());
            assert_eq!(written, stored, "{}", path.display());
        }
    }
    assert_eq!(formats, Format::CURRENT.number());
}
