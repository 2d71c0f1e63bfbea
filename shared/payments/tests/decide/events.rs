//! Tests that every event matches its schema in `infra/events`, and has a sample for consumers.

use std::collections::BTreeMap;
use std::path::Path;

use ecommpay::answer::Answer;
use payments::decide::{Command, Fact};
use payments::events::{Event, EventKind};
use payments::model::PlatformRecord;
use serde_json::{Value, json};

use crate::discrepancies;
use crate::fixtures::*;

fn one_of_each() -> BTreeMap<String, Value> {
    let mut paid = TestPayment::with_callbacks(&["redirect_get", "sale_success"]);
    for refund_id in ["r-1", "r-2"] {
        paid.reserve(refund_id, Some(100)).unwrap();
    }
    paid.refund_answer("r-1", &refused("3060"))
        .refund_answer("r-2", &Answer::Unclear)
        .callback("refund_partial_1");
    let mut failed = TestPayment::created();
    failed.sale_answer(&refused("2004"));
    let mut expired = TestPayment::created();
    expired.execute(Command::Expire, order().expires_at);
    let mut paid_twice = TestPayment::paid();
    let ids = ["order-1-1".to_owned()].into();
    paid_twice.fact(Fact::EarlierPayments { ids: &ids }, NOW);
    let refunds = ["sale_success", "refund_success", "refund_partial_2_rest"];
    let mut overrefunded = TestPayment::with_callbacks(&refunds);
    while poll_at(&overrefunded).is_some() {
        overrefunded.poll_unanswered();
    }
    let listed = discrepancies::listed();
    let difference = discrepancies::compared(None, PlatformRecord::Listed(&listed));

    let reported = [
        &[
            "sale_success",
            "refund_partial_1",
            "refund_reverse_of_partial",
        ][..],
        &["clarification_last_name"],
        &["confirm_sale_done"],
        &["sale_decline_customer"],
        &["amount_differs"],
    ];
    let mut payments = vec![paid, overrefunded];
    payments.extend(reported.map(TestPayment::with_callbacks));
    payments.extend([failed, expired, paid_twice]);
    payments.push(TestPayment::external(corpus("sale_success")));
    payments.push(difference.unwrap().into());
    let events = payments.into_iter().flat_map(|payment| payment.events);
    let named = events.map(|event| {
        let body = serde_json::from_str(&event.body).unwrap();
        (event.kind.as_str().to_owned(), body)
    });
    named.collect()
}

#[test]
fn each_event_type_has_a_schema_that_its_event_matches() {
    let mut kinds = EventKind::ALL.map(|kind| kind.as_str());
    kinds.sort_unstable();
    assert_eq!(schemas::types().unwrap(), kinds);
    let each = one_of_each();
    assert_eq!(Vec::from_iter(each.keys()), kinds);
    for event in each.values() {
        schemas::check(event).unwrap();
    }
}

#[test]
fn an_event_holds_a_payment_id_with_any_characters() {
    let id = "a\"b\\c/\u{20ac}";
    let report = edited("sale_success", |body| body["payment"]["id"] = id.into());
    let payment = TestPayment::external(&report);
    let body: Value = serde_json::from_str(&payment.events[0].body).unwrap();
    assert_eq!(body["subject"], id);
    assert_eq!(body["id"], format!("211/{id}/1"));
}

#[test]
fn an_event_escapes_characters_that_a_queue_refuses_even_if_they_are_stored_unescaped() {
    let id = "\u{ffff}\u{fffe}\u{1ffff}\\\u{ffff}\u{1}\u{7f}";
    let report = edited("sale_success", |body| body["payment"]["id"] = id.into());
    let payment = TestPayment::external(&report);
    let event = &payment.events[0];
    assert!(event.stored.contains('\u{ffff}'));
    let (key, kind) = (event.key.clone(), event.kind);
    let stored = Event::from_stored(key, event.sequence, kind, &event.stored).unwrap();
    assert_eq!(stored, *event);
    assert!(!event.body.contains(['\u{fffe}', '\u{ffff}', '\u{1}']));
    assert!(event.body.contains(r"\uffff\ufffe"));
    let body: Value = serde_json::from_str(&event.body).unwrap();
    assert_eq!(body["subject"], id);
    assert_eq!(body["data"]["payment_id"], id);
}

#[test]
fn events_hold_no_personal_data() {
    let mut payment = TestPayment::accepted();
    payment
        .callback("sale_success_account")
        .callback("refund_partial_1");
    for event in &payment.events {
        for personal in ["Canaryname", "canary-customer", "192.0.2.77", "Johnson"] {
            assert!(!event.body.contains(personal), "{personal}: {}", event.body);
        }
    }
    assert!(!format!("{:?}", *payment).contains("Canaryname"));
}

#[test]
fn the_sample_of_each_event_type_equals_a_published_event() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/events/samples");
    let folder = Path::new(folder);
    let each = one_of_each();
    for (kind, event) in &each {
        let path = folder.join(format!("{kind}.json"));
        snapshots::check(&path, &format!("{event:#}\n")).unwrap();
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), each.len());
}

/// Returns the event with `value` at a path, or without the field if `value` is `None`.
fn with(event: &Value, path: &str, value: Option<Value>) -> Value {
    let mut event = event.clone();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    event
}

#[test]
fn a_schema_refuses_events_with_missing_invalid_or_additional_fields() {
    let operation = json!({
        "operation_id": "1", "type": "sale", "status": "succeeded", "platform_status": "success",
        "amount": 1, "currency": "EUR", "code": "0", "last_name": "Janssens",
    });
    let decline = json!({ "code": "1", "message": null, "advice": null, "account": "BE68" });
    let invalid = [
        ("/data/sequence", json!(0)),
        ("/data/status", json!("paid")),
        ("/data/customer", json!({ "last_name": "Janssens" })),
        ("/data/ip_address", json!("192.0.2.10")),
        ("/data/operations", json!([operation])),
        ("/data/decline", decline),
        ("/data/paid_amount", json!("1000")),
        ("/data/amount", json!(1000.5)),
        ("/data/currency", json!("USD")),
        ("/customer", json!("c-42")),
        ("/time", json!("yesterday")),
        ("/type", json!("payment.paid")),
        ("/id", json!("211/x/1")),
        ("/source", json!("/ecommpay/212")),
    ];
    let invalid = invalid.map(|(path, value)| (path, Some(value)));
    let missing = ["/data/sequence", "/data/order_id", "/data"].map(|path| (path, None));
    for (kind, event) in one_of_each() {
        for (path, value) in invalid.iter().chain(&missing) {
            let event = with(&event, path, value.clone());
            assert!(schemas::check(&event).is_err(), "{kind} {path}: {event}");
        }
    }
}

#[test]
fn an_event_of_an_unknown_type_is_sent_as_it_is_stored() {
    let paid = TestPayment::paid();
    let known = paid.events.last().unwrap();
    let kind = EventKind::of_stored("payment.next");
    assert_eq!(kind, EventKind::Other("payment.next"));
    let read = Event::from_stored(known.key.clone(), known.sequence, kind, &known.stored).unwrap();
    assert_eq!(read.stored, known.stored);
    let body: Value = serde_json::from_str(&read.body).unwrap();
    let mut expected: Value = serde_json::from_str(&known.body).unwrap();
    expected["type"] = "payment.next".into();
    expected["dataschema"] = "urn:bancontact:event:payment.next:1".into();
    assert_eq!(body, expected);
}

#[test]
fn an_event_names_the_version_of_its_schema_that_is_stored_with_it_or_else_the_first() {
    let paid = TestPayment::paid();
    let event = paid.events.last().unwrap();
    let mut stored: Value = serde_json::from_str(&event.stored).unwrap();
    assert_eq!(stored.get("version"), None);
    for (version, expected) in [(None, 1), (Some(2), 2)] {
        if let Some(version) = version {
            stored["version"] = version.into();
        }
        let (key, stored) = (event.key.clone(), stored.to_string());
        let read = Event::from_stored(key, event.sequence, event.kind, &stored).unwrap();
        let body: Value = serde_json::from_str(&read.body).unwrap();
        let schema = format!("urn:bancontact:event:payment.succeeded:{expected}");
        assert_eq!(body["dataschema"], schema);
        assert_eq!(read.stored, stored);
    }
}

#[test]
fn the_schema_of_an_event_accepts_fields_that_it_does_not_know() {
    for (kind, event) in one_of_each() {
        for path in ["/added", "/data/added", "/data/operations/0/added"] {
            if event.pointer(path.trim_end_matches("/added")).is_none() {
                continue; // the payment has no operation
            }
            let event = with(&event, path, Some(json!({ "any": 1 })));
            assert!(schemas::check(&event).is_err(), "{kind} {path}");
            schemas::check_as_consumer(&event).unwrap();
        }
    }
}
