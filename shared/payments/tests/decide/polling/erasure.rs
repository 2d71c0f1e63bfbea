//! Tests the erasure of the customer's data after 31 days.

use std::time::Duration;

use payments::decide::{Command, Rejection, decide};
use payments::model::schedule::{Next, Schedule};
use serde_json::{Value, json};

use crate::fixtures::*;

fn document(payment: &TestPayment) -> Value {
    json!(**payment)
}

#[test]
fn erasure_removes_only_the_customer_of_a_closed_payment() {
    let mut payment = TestPayment::with_callbacks(&["redirect_get", "sale_success"]);
    let mut expected = document(&payment);
    let due = NOW.after(31 * DAY);
    assert_eq!(next(&payment), Some(Next::Erase(due)));
    let early = due.before(Duration::from_millis(1));
    let erase = Command::Erase(&Schedule::default());
    assert_eq!(change_of(Some(&payment), erase, early), None);
    payment.erase(due);
    let customer = expected["order"]
        .as_object_mut()
        .unwrap()
        .remove("customer");
    expected["updated_at"] = json!(due.unix_millis());
    assert_eq!(document(&payment), expected);
    for personal in ["canary-customer", "192.0.2.77", "Canaryname"] {
        assert!(customer.as_ref().unwrap().to_string().contains(personal));
        assert!(!document(&payment).to_string().contains(personal));
    }
    assert_eq!(next(&payment), None);
    // The customer's IP address is erased, so a refund request must contain an IP address.
    let refund = payment.reserve("r-1", Some(100));
    assert_eq!(refund, Err(Rejection::NoAddress));
}

/// The redirect URL can contain the customer's data.
#[test]
fn erasure_also_removes_the_redirect_url_of_an_open_payment() {
    let mut payment = TestPayment::accepted();
    payment.callback("redirect_get").expire();
    while let Some(Next::Poll(_)) = next(&payment) {
        payment.poll_unanswered();
    }
    let due = NOW.after(31 * DAY);
    payment.erase(due);
    assert_eq!(payment.redirect(), None);
    assert_eq!(next(&payment), Some(Next::Overdue(due)));
}

/// The stored reports show that a callback is a repeat, however late the callback arrives.
#[test]
fn a_duplicate_callback_changes_nothing_after_the_erasure() {
    let mut payment = TestPayment::accepted();
    payment.callback("redirect_get").callback("sale_success");
    payment.erase(NOW.after(31 * DAY));
    for file in ["redirect_get", "sale_success"] {
        let fact = corpus(file).fact();
        let later = NOW.after(60 * DAY);
        assert_eq!(decide(Some(&payment), fact, later), None, "{file}");
    }
}

/// Until a refund has ended, a repeat of its request needs the customer's IP address.
#[test]
fn the_customers_data_is_erased_when_the_last_open_refund_has_ended() {
    let due = NOW.after(31 * DAY);
    let erase = Command::Erase(&Schedule::default());
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(400)).unwrap();
    payment.reserve("r-2", Some(400)).unwrap();
    payment.refund_reported("r-1", "7", 400);
    assert_eq!(change_of(Some(&payment), erase, due), None);
    payment.refund_reported("r-2", "8", 400);
    assert_eq!(next(&payment), Some(Next::Erase(due)));
    payment.erase(due);
    assert!(!document(&payment).to_string().contains("192.0.2.77"));
    let mut descriptions = payment.refunds().iter().map(|one| one.description());
    assert!(descriptions.all(|description| description.is_none()));
    assert_eq!(payment.refund_sums(), (800, 0, 200));
}
