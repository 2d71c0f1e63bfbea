//! Every event against its schema in `infra/events`.

use std::collections::BTreeMap;

use payments::decide::{Command, Fact, decide};
use payments::events::EventKind;
use payments::model::PlatformRecord;
use serde_json::{Value, json};

use super::discrepancies;
use super::story::*;

/// Every type of event that the contract names and that is emitted so far.
const PROMISED: [&str; 18] = [
    "checkout.expired",
    "order.paid_twice",
    "payment.awaiting_clarification",
    "payment.awaiting_confirmation",
    "payment.awaiting_customer",
    "payment.created",
    "payment.declined",
    "payment.failed",
    "payment.overrefunded",
    "payment.quarantined",
    "payment.succeeded",
    "payment.unmatched",
    "reconciliation.difference",
    "refund.declined",
    "refund.pending",
    "refund.returned",
    "refund.succeeded",
    "refund.unknown",
];

/// One event of each type.
fn one_of_each() -> BTreeMap<String, Value> {
    let mut paid = Story::created();
    paid.callback("redirect_get").callback("sale_success");
    for refund_id in ["r-1", "r-2"] {
        paid.refund(&refund(refund_id, Some(100))).unwrap();
    }
    paid.refund_answer("r-1", &refused("3060"))
        .refund_answer("r-2", &ecommpay::answer::Answer::Unclear)
        .callback("refund_partial_1");
    let mut overrefunded = Story::created();
    overrefunded
        .callback("sale_success")
        .callback("refund_success")
        .callback("refund_partial_2_rest");
    let mut stories = vec![paid, overrefunded];
    for file in [
        "clarification_last_name",
        "confirm_sale_done",
        "sale_decline_customer",
        "amount_differs",
    ] {
        let mut story = Story::created();
        story.callback(file);
        stories.push(story);
    }
    let mut failed = Story::created();
    failed.sale_answer(&refused("2004"));
    stories.push(failed);
    let mut expired = Story::created();
    let end = order().expires_at;
    expired.run(Command::Expire, end);
    stories.push(expired);
    let mut returned = Story::created();
    returned
        .callback("sale_success")
        .callback("refund_partial_1")
        .callback("refund_reverse_of_partial");
    stories.push(returned);
    let unmatched = decide(None, corpus("sale_success").fact(), NOW).unwrap();
    let listed = discrepancies::listed();
    let difference = discrepancies::fact(PlatformRecord::Listed(&listed));
    let difference = decide(None, difference, NOW).unwrap();

    let mut again = Story::created();
    again.callback("sale_success");
    let ids = ["order-1-1".to_owned()].into();
    again.fact(Fact::EarlierPayments { ids: &ids }, NOW);
    stories.push(again);

    let events = stories.into_iter().flat_map(|story| story.events);
    events
        .chain(unmatched.events)
        .chain(difference.events)
        .map(|event| {
            let body = serde_json::from_str(&event.body).unwrap();
            (event.kind.as_str().to_owned(), body)
        })
        .collect()
}

#[test]
fn each_type_has_a_schema() {
    let types = schemas::types().unwrap();
    assert_eq!(types, PROMISED);
    for kind in EventKind::ALL {
        assert!(types.contains(&kind.as_str()), "{}", kind.as_str());
    }
    let each = one_of_each();
    assert_eq!(each.keys().collect::<Vec<_>>(), PROMISED);
    for event in each.values() {
        schemas::check(event).unwrap();
    }
}

#[test]
fn an_id_can_have_any_characters() {
    let odd = "a\"b\\c/\u{20ac}";
    let report = edited("sale_success", |body| body["payment"]["id"] = odd.into());
    let change = decide(None, report.fact(), NOW).unwrap();
    let event = &change.events[0];
    hold_against_schema(event);
    let body: Value = serde_json::from_str(&event.body).unwrap();
    assert_eq!(body["subject"], odd);
    assert_eq!(body["id"], format!("211/{odd}/1"));
}

/// Samples for consumers: an event of each type, as it is published.
#[test]
fn a_sample_of_each_type_is_kept() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/events/samples");
    let folder = std::path::Path::new(folder);
    for (kind, event) in one_of_each() {
        let path = folder.join(format!("{kind}.json"));
        snapshots::check(&path, &format!("{event:#}\n")).unwrap();
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), PROMISED.len());
}

/// Makes an event invalid.
type Break = fn(&mut Value);

#[test]
fn a_schema_refuses_events_with_missing_or_foreign_fields() {
    let breaks: [(&str, Break); 17] = [
        ("no sequence", |event| remove(event, "/data", "sequence")),
        ("sequence 0", |event| event["data"]["sequence"] = json!(0)),
        ("no order", |event| remove(event, "/data", "order_id")),
        ("no data", |event| remove(event, "", "data")),
        ("an unknown status", |event| {
            event["data"]["status"] = json!("paid")
        }),
        ("a customer", |event| {
            event["data"]["customer"] = json!({ "last_name": "Janssens" })
        }),
        ("an address", |event| {
            event["data"]["ip_address"] = json!("192.0.2.10")
        }),
        ("a name in an operation", |event| {
            event["data"]["operations"] = json!([{
                "operation_id": "1", "type": "sale", "status": "succeeded",
                "platform_status": "success", "amount": 1, "currency": "EUR", "code": "0",
                "last_name": "Janssens",
            }])
        }),
        (
            "an account in a decline",
            |event| {
                event["data"]["decline"] =
                    json!({ "code": "1", "message": null, "advice": null, "account": "BE68" })
            },
        ),
        ("another field beside the data", |event| {
            event["customer"] = json!("c-42")
        }),
        ("an amount as text", |event| {
            event["data"]["paid_amount"] = json!("1000")
        }),
        ("half a cent", |event| {
            event["data"]["amount"] = json!(1000.5)
        }),
        ("another currency", |event| {
            event["data"]["currency"] = json!("USD")
        }),
        ("no time", |event| event["time"] = json!("yesterday")),
        ("another type", |event| {
            event["type"] = json!("payment.paid")
        }),
        ("another event's id", |event| event["id"] = json!("211/x/1")),
        ("another project", |event| {
            event["source"] = json!("/ecommpay/212")
        }),
    ];
    for (kind, event) in one_of_each() {
        for (what, break_it) in &breaks {
            let mut broken = event.clone();
            break_it(&mut broken);
            assert!(
                schemas::check(&broken).is_err(),
                "{kind} may have {what}: {broken}"
            );
        }
    }
}

fn remove(event: &mut Value, pointer: &str, key: &str) {
    let object = event.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
    object.remove(key).unwrap();
}
