//! Tests documents of a newer release. This release does not know all fields and words of such a document. This release
//! must keep unknown fields and words, and must derive no final status from an unknown word.

use std::cell::Cell;

use payments::decide::{Change, Command, Rejection, decide, execute};
use payments::model::document::{self, Residue};
use payments::model::schedule::Schedule;
use payments::model::{Payment, Status};
use payments::ports::Commit;
use serde_json::{Value, json};

use super::changes::{LATER, commands, facts};
use super::next_release::{check_kept, to_known, to_next, unknown_words};
use super::stored::payments;
use crate::builders::reports::euros;
use crate::fixtures::*;

/// A document of the next release, and the payment and the residue that this release reads from it.
struct Newer {
    document: String,
    payment: Payment,
    residue: Residue,
}

impl Newer {
    fn read(document: String) -> Self {
        let (payment, residue) = document::read(&document).unwrap();
        Self {
            document,
            payment,
            residue,
        }
    }

    /// Reads the document of a payment after the next release has changed the document.
    fn of(payment: &Payment, change: impl FnOnce(&mut Value)) -> Self {
        let mut document = serde_json::from_str(&written(payment)).unwrap();
        change(&mut document);
        Self::read(document.to_string())
    }

    /// Returns the document that this release writes after a change. Checks that the document has every unknown field
    /// and word.
    fn written(&self, after: &Payment) -> String {
        let document = document::write(after, &self.residue);
        check_kept(&self.document, &document);
        document
    }

    fn written_json(&self, after: &Payment) -> Value {
        serde_json::from_str(&document::write(after, &self.residue)).unwrap()
    }
}

fn written(payment: &Payment) -> String {
    document::write(payment, &Residue::default())
}

/// Returns the document with the format 1 and without the fields and words that only the next release knows.
fn as_known(document: &str) -> String {
    written(&document::read(&to_known(document)).unwrap().0)
}

/// Returns a document for each known word of a payment. In each document, the next release has replaced one of these
/// words.
fn with_one_word(payment: &Payment) -> Vec<Newer> {
    let known = written(payment);
    let count = Cell::new(0);
    to_next(&known, || {
        count.set(count.get() + 1);
        false
    });
    let replaced = |number| {
        let index = Cell::new(0);
        let document = to_next(&known, || {
            index.set(index.get() + 1);
            index.get() == number
        });
        Newer::read(document)
    };
    (1..=count.get()).map(replaced).collect()
}

#[test]
fn unknown_fields_at_every_level_survive_every_change() {
    for (kind, payment) in payments() {
        let newer = Newer::read(to_next(&written(&payment), || false));
        assert!(!newer.payment.needs_newer_release(), "{kind}");
        assert_eq!(as_known(&newer.document), written(&payment), "{kind}");
        let executed = commands(&newer.payment).into_iter();
        let executed = executed.filter_map(|(name, result)| Some((name.to_owned(), result.ok()??)));
        for (name, change) in executed.chain(facts(&newer.payment)) {
            let document = newer.written(&change.payment);
            let expected = written(&change.payment).replacen(r#""format":2"#, r#""format":1"#, 1);
            assert_eq!(as_known(&document), expected, "{kind}: {name}");
        }
    }
}

#[test]
fn an_unknown_word_at_every_level_survives_every_change_and_is_taken_for_no_end() {
    for (kind, payment) in payments() {
        for newer in with_one_word(&payment) {
            let word = unknown_words(&newer.document).pop_first().unwrap();
            assert!(newer.payment.needs_newer_release(), "{kind}: {word}");
            let status = newer.payment.status();
            assert!(
                !status.is_final() || payment.status().is_final(),
                "{kind}: {word}: {status:?}"
            );
            for (name, result) in commands(&newer.payment) {
                assert_eq!(
                    result,
                    Err(Rejection::NeedsNewerRelease),
                    "{kind}: {word}: {name}"
                );
            }
            for (name, change) in facts(&newer.payment) {
                assert_eq!(change.events, [], "{kind}: {word}: {name}");
                newer.written(&change.payment);
            }
        }
    }
}

#[test]
fn a_fact_about_a_payment_with_an_unknown_word_has_its_consequences_in_the_newer_release() {
    let mut payment = TestPayment::paid();
    payment.review(payments::model::Verdict::Released).ok();
    let newer = Newer::of(&payment, |raw| {
        raw["emitted"]["last"]["status"] = json!("next_succeeded")
    });
    let refund = decide(Some(&newer.payment), corpus("refund_partial_1").fact(), NOW);
    let change = refund.unwrap();
    assert_eq!(
        (change.events.len(), change.payment.refunds().len()),
        (0, 0)
    );
    let (known, _) = document::read(&to_known(&newer.written(&change.payment))).unwrap();
    assert_eq!(known.status(), Status::PartiallyRefunded);
    assert_eq!(known.refunds().len(), 1);
    let emitted = execute(Some(&known), Command::EmitPending, NOW);
    let emitted = emitted.unwrap().unwrap();
    let kinds = emitted.events.iter().map(|event| event.kind.as_str());
    assert_eq!(Vec::from_iter(kinds), ["refund.succeeded"]);
    assert!(!written(&emitted.payment).contains("is_underived"));
}

#[test]
fn the_newer_release_stores_the_consequences_even_if_there_is_no_event() {
    let newer = Newer::of(&TestPayment::accepted(), |raw| {
        raw["order"]["channel"] = json!("next_gate");
    });
    let polled = execute(Some(&newer.payment), Command::PollNow, NOW);
    let polled = newer.written(&polled.unwrap().unwrap().payment);
    let (known, _) = document::read(&to_known(&polled)).unwrap();
    let emitted = execute(Some(&known), Command::EmitPending, NOW);
    let emitted = emitted.unwrap().unwrap();
    assert_eq!(emitted.events, []);
    let again = execute(Some(&emitted.payment), Command::EmitPending, NOW);
    assert_eq!(again, Ok(None));
}

/// A release that does not know a word of the document can publish the events of a change, but cannot see that further
/// events are due.
#[test]
fn a_payment_stays_in_the_outbox_until_a_change_emits_its_last_event() {
    let mut payment = TestPayment::created();
    for number in 10..20 {
        let sum = json!({ "sum_initial": euros(10) });
        payment.deliver(&refund_operation(&number.to_string(), "success", sum));
    }
    let outbox_end = |change: &Change| {
        let commit = Commit {
            change,
            next: None,
            over: None,
            token_hash: None,
        };
        assert!(commit.is_in_outbox());
        commit.outbox_end()
    };
    let paid = decide(Some(&payment), corpus("sale_success").fact(), NOW).unwrap();
    assert_eq!((paid.events.len(), outbox_end(&paid)), (8, 0));
    let last = change_of(Some(&paid.payment), Command::EmitPending, NOW).unwrap();
    assert_eq!(last.events.len(), 3);
    assert_eq!(outbox_end(&last), last.payment.sequence());
}

#[test]
fn an_unknown_field_without_a_new_format_survives_too() {
    let mut payment = TestPayment::accepted();
    payment.callback("processing");
    let newer = Newer::of(&payment, |raw| {
        raw["next"] = json!({ "a": [1, { "b": null }] });
        raw["order"]["customer"]["details"] = json!({ "nickname": "x" });
        raw["polling"] = json!({ "next": 2 });
    });
    payment = TestPayment::from(newer.payment.clone());
    payment.callback("sale_success");
    let written = newer.written_json(&payment);
    assert_eq!(written["next"], json!({ "a": [1, { "b": null }] }));
    assert_eq!(written["order"]["customer"]["details"]["nickname"], "x");
    assert_eq!(written["polling"]["next"], 2);
    assert_eq!(written["emitted"]["success"], true);
}

#[test]
fn the_unknown_fields_of_a_removed_or_replaced_object_are_removed_too() {
    let newer = Newer::of(&TestPayment::paid(), |raw| {
        raw["order"]["customer"]["next"] = json!("personal");
    });
    let schedule = Schedule::default();
    let erased = execute(Some(&newer.payment), Command::Erase(&schedule), LATER);
    let erased = erased.unwrap().unwrap().payment;
    assert!(!newer.written(&erased).contains("personal"));

    let mut failed = TestPayment::created();
    failed.sale_answer(&refused("2004"));
    let newer = Newer::of(&failed, |raw| {
        raw["attempt"]["next"] = json!("first attempt");
    });
    let retry = Command::Retry { order: &order() };
    let second = execute(Some(&newer.payment), retry, NOW).unwrap().unwrap();
    assert!(!newer.written(&second.payment).contains("first attempt"));
}

#[test]
fn a_refund_keeps_an_unknown_field_when_its_short_text_would_hold_everything_else() {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(250)).unwrap();
    payment.refund_answer("r-1", &accepted("q-r-1"));
    let newer = Newer::of(&payment, |raw| raw["refunds"][0]["next"] = json!(5));
    let mut after = TestPayment::from(newer.payment.clone());
    after.refund_reported("r-1", "1001", 250);
    let written = newer.written_json(&after);
    assert_eq!(written["refunds"][0]["next"], 5);
    assert_eq!(written["refunds"][0]["status"], "succeeded");
}
