//! Every event against its schema in `infra/events`.

use std::collections::BTreeMap;
use std::path::Path;

use ecommpay::answer::Answer;
use payments::decide::{Command, Fact};
use payments::events::EventKind;
use payments::model::PlatformRecord;
use serde_json::{Value, json};

use crate::discrepancies;
use crate::fixtures::*;

/// One event of each type.
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
    let listed = discrepancies::listed();
    let difference = discrepancies::compared(None, PlatformRecord::Listed(&listed));

    let reported = [
        &["sale_success", "refund_success", "refund_partial_2_rest"][..],
        &[
            "sale_success",
            "refund_partial_1",
            "refund_reverse_of_partial",
        ],
        &["clarification_last_name"],
        &["confirm_sale_done"],
        &["sale_decline_customer"],
        &["amount_differs"],
    ];
    let mut payments = vec![paid];
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
fn each_type_has_a_schema() {
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

/// The samples are for consumers.
#[test]
fn the_sample_of_each_type_is_an_event_as_it_is_published() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/events/samples");
    let folder = Path::new(folder);
    let each = one_of_each();
    for (kind, event) in &each {
        let path = folder.join(format!("{kind}.json"));
        snapshots::check(&path, &format!("{event:#}\n")).unwrap();
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), each.len());
}

fn remove(event: &mut Value, pointer: &str, key: &str) {
    let object = event.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
    object.remove(key).unwrap();
}

/// Makes an event invalid.
type Break = fn(&mut Value);

#[test]
fn a_schema_refuses_events_with_missing_or_additional_fields() {
    let invalid: [(&str, Break); 17] = [
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
        ("an account in a decline", |event| {
            let decline = json!({ "code": "1", "message": null, "advice": null });
            event["data"]["decline"] = decline;
            event["data"]["decline"]["account"] = json!("BE68");
        }),
        ("an additional field", |event| {
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
        for (name, edit) in &invalid {
            let mut event = event.clone();
            edit(&mut event);
            assert!(
                schemas::check(&event).is_err(),
                "{kind} with {name}: {event}"
            );
        }
    }
}
