//! Payment links that were made in the Dashboard: not created here.

use payments::decide::{Change, decide};
use payments::model::{Payment, Status};

use super::story::*;

fn take(payment: Option<&Payment>, file: &str) -> Change {
    let change = decide(payment, corpus(file).fact(), NOW).unwrap();
    change.events.iter().for_each(hold_against_schema);
    change
}

#[test]
fn a_link_without_money_is_recorded_and_neither_emitted_nor_polled() {
    let mut payment = None;
    for file in [
        "invoice_awaiting_payment",
        "invoice_sent",
        "invoice_expired",
    ] {
        let change = take(payment.as_ref(), file);
        assert!(change.events.is_empty(), "{file}");
        assert_eq!(poll_at(&change.payment), None, "{file}");
        assert_eq!(change.payment.paid_amount(), 0, "{file}");
        assert_eq!(corpus(file).report.unknown_status(), None, "{file}");
        payment = Some(change.payment);
    }
}

#[test]
fn a_link_that_was_paid_is_emitted_once_and_polled_once() {
    for before in [None, Some("invoice_sent"), Some("invoice_expired")] {
        let first = before.map(|file| take(None, file).payment);
        let paid = take(first.as_ref(), "invoice_paid");
        let kinds: Vec<&str> = paid.events.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, ["payment.unmatched"], "{before:?}");
        assert_eq!(paid.payment.status(), Status::Unmatched);
        assert_eq!(paid.payment.paid_amount(), 1000);
        assert_eq!(poll_at(&paid.payment), Some(NOW));
        let duplicate = decide(Some(&paid.payment), corpus("invoice_paid").fact(), NOW);
        assert_eq!(duplicate, None);
        // Reports about the link that come later emit nothing.
        let later = decide(Some(&paid.payment), corpus("invoice_sent").fact(), NOW);
        assert!(later.is_none_or(|change| change.events.is_empty()));
        let answered = polled(&paid.payment, "invoice_paid").unwrap();
        assert!(answered.events.is_empty());
        assert_eq!(poll_at(&answered.payment), None);
    }
}

/// Another payment that was not created here has no link to wait for.
#[test]
fn an_unmatched_payment_that_is_no_link_is_emitted_and_polled_without_money() {
    let change = take(None, "processing");
    let kinds: Vec<&str> = change.events.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["payment.unmatched"]);
    assert_eq!(poll_at(&change.payment), Some(NOW));
}
