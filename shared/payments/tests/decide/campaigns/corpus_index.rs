//! Tests that payments end as the index of `tests/data/callbacks-2` says. Each entry names a body, the reports before
//! this body, and the end of the payment. The end must be the same in every order of the reports.

use std::path::Path;

use payments::decide::{Command, decide};
use payments::model::Payment;
use serde_json::Value;

use crate::fixtures::*;

fn index() -> Vec<Value> {
    let text = std::fs::read(data_file("callbacks-2/index.json")).unwrap();
    let index: Value = serde_json::from_slice(&text).unwrap();
    index["callbacks"].as_array().unwrap().clone()
}

/// Returns whether the entry is about a payment link of the Dashboard.
fn is_link(entry: &Value) -> bool {
    entry["payment_id"].as_str().is_some_and(|id| id != PAYMENT)
}

fn name(file: &Value) -> &str {
    let file = Path::new(file.as_str().unwrap());
    file.file_stem().unwrap().to_str().unwrap()
}

/// Returns the names of the reports that precede the body of an entry, and then the name of the body. No name occurs
/// twice.
fn reports<'a>(index: &'a [Value], entry: &'a Value) -> Vec<&'a str> {
    let mut reports: Vec<&str> = Vec::new();
    for before in entry["after"].as_array().unwrap() {
        let known = index.iter().find(|other| other["file"] == *before);
        if let Some(known) = known {
            reports.extend(self::reports(index, known));
        } else {
            reports.push(name(before));
        }
    }
    reports.push(name(&entry["file"]));
    let mut unique: Vec<&str> = Vec::new();
    for report in reports {
        if !unique.contains(&report) {
            unique.push(report);
        }
    }
    unique
}

fn deliver(payment: &mut TestPayment, report: &str) {
    if !is_answer(report) {
        payment.callback(report);
    } else if report == "status_unknown_unsigned" {
        payment.execute(Command::PollNow, NOW).not_found(false, NOW);
    } else {
        payment.execute(Command::PollNow, payment.now);
        payment.report(report);
    }
}

#[test]
fn each_body_and_its_earlier_reports_end_as_the_index_says_in_every_order() {
    let index = index();
    let entries = Vec::from_iter(index.iter().filter(|entry| !is_link(entry)));
    assert_eq!(entries.len(), index.len() - 4);
    for entry in entries {
        for order in permutations(&reports(&index, entry)) {
            let mut payment = TestPayment::created();
            payment.sale_answer(&accepted(REQUEST));
            for report in &order {
                deliver(&mut payment, report);
            }
            check_amounts(&payment, entry, &order);
            check_details(&payment, entry, &order);
            check_successes(&payment, &order);
        }
    }
}

fn check_amounts(payment: &TestPayment, entry: &Value, order: &[&str]) {
    let (view, conclude) = (payment.view(), &entry["conclude"]);
    let expected = match &conclude["proposed_status"] {
        Value::Null => &conclude["status"],
        proposed => proposed,
    };
    assert_eq!(view["status"], *expected, "{order:?}");
    for amount in ["paid_amount", "refunded_amount"] {
        assert_eq!(view[amount], conclude[amount], "{order:?}: {amount}");
    }
    let refund = &view["refunds"][0];
    if let Value::String(status) = &entry["refund"]["status"] {
        assert_eq!(refund["status"], *status, "{order:?}");
    }
    if let returned @ Value::Number(_) = &entry["refund_taken_back"] {
        assert_eq!(refund["returned_amount"], *returned, "{order:?}");
        assert_eq!(refund["status"], "returned", "{order:?}");
        assert_eq!(view["refundable_amount"], 1000, "{order:?}");
    }
}

fn check_details(payment: &TestPayment, entry: &Value, order: &[&str]) {
    let view = payment.view();
    if entry["ask_at_once"] == true {
        assert!(payment.is_poll_due(), "{order:?}");
    }
    for (listed, shown) in [
        ("asked", "clarification_fields"),
        ("required", "clarification_required"),
    ] {
        if let Value::Array(names) = &entry[listed] {
            let mut names = names.clone();
            let mut fields = view[shown].as_array().unwrap().clone();
            names.sort_by_key(Value::to_string);
            fields.sort_by_key(Value::to_string);
            assert_eq!(fields, names, "{order:?}: {shown}");
        }
    }
    if let Value::String(url) = &entry["redirect"]["url"] {
        assert_eq!(payment.redirect().unwrap().url, *url);
    }
}

fn check_successes(payment: &TestPayment, order: &[&str]) {
    let kinds = payment.kinds();
    let successes = kinds.iter().filter(|kind| **kind == "payment.succeeded");
    let successes = successes.count();
    if payment.status().is_paid() {
        assert_eq!(successes, 1, "{order:?}");
    } else {
        // A success can be emitted before the confirmation is declined.
        let may_succeed = order.contains(&"sale_success") || order.contains(&"confirm_success");
        assert!(successes <= usize::from(may_succeed), "{order:?}");
    }
}

#[test]
fn a_dashboard_link_causes_an_event_and_a_poll_only_after_it_is_paid() {
    let index = index();
    for entry in index.iter().filter(|entry| is_link(entry)) {
        let conclude = &entry["conclude"];
        let is_paid = !conclude["status"].is_null();
        for order in permutations(&reports(&index, entry)) {
            let mut payment: Option<Payment> = None;
            let (mut kinds, mut now) = (Vec::new(), NOW);
            for report in &order {
                let report = corpus(report);
                assert_eq!(report.report.undocumented_status(), None, "{order:?}");
                now = now.max(arrival_of(report));
                if let Some(change) = decide(payment.as_ref(), report.fact(), now) {
                    change.events.iter().for_each(check_event);
                    kinds.extend(change.events.iter().map(|event| event.kind.as_str()));
                    payment = Some(change.payment);
                }
            }
            let payment = payment.unwrap();
            let expected: &[&str] = if is_paid { &["payment.unmatched"] } else { &[] };
            assert_eq!(kinds, expected, "{order:?}");
            let poll = is_paid.then_some(now);
            assert_eq!(poll_at(&payment), poll, "{order:?}");
            assert_eq!(conclude["paid_amount"], payment.paid_amount(), "{order:?}");
        }
    }
}
