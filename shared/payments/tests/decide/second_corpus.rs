//! Every body of `tests/data/callbacks-2` ends as its index says, after the reports that come before
//! it, in every order of these.

use std::path::{Path, PathBuf};

use payments::decide::{Command, Fact, decide};
use serde_json::Value;

use super::story::*;

/// The request of the corpus' sale.
const REQUEST: &str = "7e08d48c4f5da3692b65e5426f44ed36896e569c";

fn index() -> Vec<Value> {
    let file = "../../tests/data/callbacks-2/index.json";
    let text = std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let mut index: Value = serde_json::from_slice(&text).unwrap();
    match index["callbacks"].take() {
        Value::Array(entries) => entries,
        _ => panic!("an index without callbacks"),
    }
}

/// The name without folder and ending.
fn name(file: &Value) -> &str {
    let file = Path::new(file.as_str().unwrap());
    file.file_stem().unwrap().to_str().unwrap()
}

/// The reports before a body, in a row: those of its index entry, and those before them.
fn reports<'a>(index: &'a [Value], entry: &'a Value) -> Vec<&'a str> {
    let mut reports: Vec<&str> = Vec::new();
    for before in entry["after"].as_array().unwrap() {
        let known = index.iter().find(|one| one["file"] == *before);
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

fn take(story: &mut Story, report: &str) {
    if !is_answer(report) {
        story.callback(report);
        return;
    }
    story.run(Command::PollNow, NOW);
    if report == "status_unknown_unsigned" {
        let poll = story.payment.polling().polls_sent();
        let signed = false;
        story.fact(Fact::NotFound { poll, signed }, NOW);
    } else {
        story.status_answer(corpus(report));
    }
}

#[test]
fn a_body_ends_as_its_index_says_in_every_order() {
    let index = index();
    let mut checked = 0;
    for entry in &index {
        if entry["payment_id"].as_str().is_some_and(|id| id != PAYMENT) {
            continue;
        }
        checked += 1;
        for order in permutations(&reports(&index, entry)) {
            let mut story = Story::created();
            story.sale_answer(&accepted(REQUEST));
            for report in &order {
                take(&mut story, report);
            }
            check(&story, entry, &order);
        }
    }
    assert_eq!(checked, index.len() - 4);
}

fn check(story: &Story, entry: &Value, order: &[&str]) {
    let (view, conclude) = (story.view(), &entry["conclude"]);
    let expected = match &conclude["proposed_status"] {
        Value::Null => &conclude["status"],
        proposed => proposed,
    };
    assert_eq!(view["status"], *expected, "{order:?}");
    for amount in ["paid_amount", "refunded_amount"] {
        assert_eq!(view[amount], conclude[amount], "{order:?}: {amount}");
    }
    if entry["ask_at_once"] == true {
        assert_eq!(poll_at(&story.payment), Some(NOW), "{order:?}");
    }
    if let Value::String(status) = &entry["refund"]["status"] {
        assert_eq!(view["refunds"][0]["status"], *status, "{order:?}");
    }
    if let returned @ Value::Number(_) = &entry["refund_taken_back"] {
        assert_eq!(
            view["refunds"][0]["returned_amount"], *returned,
            "{order:?}"
        );
        assert_eq!(view["refunds"][0]["status"], "returned", "{order:?}");
        assert_eq!(view["refundable_amount"], 1000, "{order:?}");
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
        assert_eq!(story.payment.redirect().unwrap().url, *url);
    }
    let successes = story
        .kinds()
        .iter()
        .filter(|kind| **kind == "payment.succeeded")
        .count();
    let is_paid = matches!(
        view["status"].as_str(),
        Some("succeeded" | "partially_refunded" | "refunded")
    );
    // Reports of a success may come first where the confirmation is known later.
    let may_succeed =
        is_paid || order.contains(&"sale_success") || order.contains(&"confirm_success");
    assert!(successes <= usize::from(may_succeed), "{order:?}");
    if is_paid {
        assert_eq!(successes, 1, "{order:?}");
    }
}

/// Payment links made in the Dashboard are not created here.
#[test]
fn a_dashboard_link_is_emitted_and_polled_only_once_it_is_paid() {
    let index = index();
    let is_link = |entry: &&Value| entry["payment_id"].as_str().is_some_and(|id| id != PAYMENT);
    for entry in index.iter().filter(is_link) {
        let is_paid = !entry["conclude"]["status"].is_null();
        for order in permutations(&reports(&index, entry)) {
            let mut payment = None;
            let mut events = Vec::new();
            for report in &order {
                let report = corpus(report);
                assert_eq!(report.report.unknown_status(), None, "{order:?}");
                if let Some(change) = decide(payment.as_ref(), report.fact(), NOW) {
                    change.events.iter().for_each(hold_against_schema);
                    events.extend(change.events);
                    payment = Some(change.payment);
                }
            }
            let payment = payment.unwrap();
            let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
            let expected: &[&str] = if is_paid { &["payment.unmatched"] } else { &[] };
            assert_eq!(kinds, expected, "{order:?}");
            assert_eq!(poll_at(&payment), is_paid.then_some(NOW), "{order:?}");
            let conclude = &entry["conclude"];
            assert_eq!(conclude["paid_amount"], payment.paid_amount(), "{order:?}");
        }
    }
}
