//! Tests payments that this service did not create, for example payments by links of the platform's Dashboard.

use payments::decide::{Command, Fact, Rejection, decide, execute};
use payments::model::{Private, RefundOrder, Status};

use crate::fixtures::*;

#[test]
fn an_external_payment_is_unmatched_and_causes_one_event_and_a_poll() {
    for file in ["sale_success", "processing"] {
        let payment = TestPayment::external(corpus(file));
        assert_eq!(payment.status(), Status::Unmatched, "{file}");
        assert_eq!(payment.kinds(), ["payment.unmatched"], "{file}");
        assert_eq!(poll_at(&payment), Some(payment.now), "{file}");
        assert_eq!(decide(Some(&payment), corpus(file).fact(), NOW), None);
    }
}

#[test]
fn a_hint_about_an_external_payment_emits_nothing_until_the_payment_is_polled() {
    let hint = Fact::Hint(&corpus("sale_success").report);
    let mut payment = TestPayment::from(decide(None, hint, NOW).unwrap());
    assert!(payment.events.is_empty());
    assert_eq!(poll_at(&payment), Some(payment.now));
    payment.poll("sale_success");
    assert_eq!(payment.kinds(), ["payment.unmatched"]);
    assert_eq!(poll_at(&payment), None);
}

#[test]
fn an_answer_that_lists_money_ends_the_polls_for_an_external_payment() {
    for file in [
        "payment_confirmation",
        "manual_change_success",
        "sale_success",
    ] {
        let mut payment = TestPayment::external(corpus(file));
        assert_eq!(poll_at(&payment), Some(payment.now), "{file}");
        payment.poll(file);
        assert!(!payment.needs_recheck(), "{file}");
        assert_eq!(payment.status(), Status::Unmatched, "{file}");
        assert_eq!(poll_at(&payment), None, "{file}");
    }
}

#[test]
fn a_paid_dashboard_link_causes_one_event_and_one_poll() {
    for before in [None, Some("invoice_sent"), Some("invoice_expired")] {
        let mut payment = TestPayment::external(corpus(before.unwrap_or("invoice_paid")));
        payment.callback("invoice_paid");
        assert_eq!(payment.kinds(), ["payment.unmatched"], "{before:?}");
        assert_eq!(payment.status(), Status::Unmatched);
        assert_eq!(payment.paid_amount(), 1000);
        assert!(payment.is_poll_due(), "{before:?}");
        let mut later = payment.fork();
        later.callback("invoice_sent");
        assert!(later.events.is_empty(), "{before:?}");
        payment.poll("invoice_paid");
        assert_eq!(payment.kinds(), ["payment.unmatched"], "{before:?}");
        assert_eq!(poll_at(&payment), None);
    }
}

#[test]
fn an_external_payment_can_be_refunded_only_if_the_request_has_an_ip_address() {
    let mut payment = TestPayment::external(corpus("processing"));
    payment.callback("sale_success");
    assert_eq!(payment.events.len(), 2);
    assert_eq!(payment.last_data()["paid_amount"], 1000);
    let with_address = RefundOrder {
        ip_address: Some(Private(text("192.0.2.1"))),
        ..refund_order("r-1", None)
    };
    let reserve = |refund: &RefundOrder| execute(Some(&payment), Command::Refund(refund), NOW);
    assert!(reserve(&with_address).unwrap().is_some());
    let refused = reserve(&refund_order("r-1", None));
    assert_eq!(refused, Err(Rejection::NoAddress));
}
