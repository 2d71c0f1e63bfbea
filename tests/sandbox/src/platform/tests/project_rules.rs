//! Tests rules that only some projects have: for mandatory fields, IP addresses, names and time limits.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::stage::*;

#[tokio::test]
async fn a_sale_without_a_mandatory_field_is_refused_or_needs_clarification() {
    let mut stage = Stage::new().await;
    let fields = json!({"mandatory_fields": ["first_name", "email"]});
    stage.set(fields).await;
    let (status, refused) = stage.gate(SALE, sale("order-1")).await;
    assert_eq!((status, &refused["code"]), (400, &json!("2004")));
    assert_eq!(refused["field"], "customer.first_name");

    let clarify = json!({
        "mandatory_fields": ["first_name", "email"],
        "mandatory_fields_missing": "clarify",
        "clarification_form": "schema",
    });
    stage.set(clarify).await;
    stage.sell().await;
    let waiting = stage.callback().await;
    let schema = &waiting["clarification_fields"]["customer"];
    assert_eq!(schema["required"], json!(["first_name", "email"]));
    assert_eq!(schema["errors"][0]["constraint"], "required");
    let customer = json!({"first_name": "Ann", "email": "a@example.com"});
    let data = clarification(json!({"customer": customer}));
    stage.accept("clarification", data).await;
    let redirect = stage.callback().await;
    assert_eq!(redirect["payment"]["status"], "awaiting redirect result");
    assert_eq!(redirect["customer"]["email"], "a@example.com");
}

#[tokio::test]
async fn ipv6_addresses_and_diacritics_are_refused_only_if_the_project_has_the_rule() {
    let stage = Stage::new().await;
    let changed = |name: &str, value: &str| {
        let mut message = sale("order-1");
        message["customer"][name] = value.into();
        message
    };
    for (switch, name, value, constraint) in [
        ("ipv4_only", "ip_address", "2001:db8::1", "ipv4"),
        ("no_diacritics", "last_name", "Daniëls", "no-diacritics"),
        ("no_diacritics", "first_name", "Jo\u{301}", "no-diacritics"),
    ] {
        stage.set(json!({switch: true})).await;
        let message = changed(name, value);
        let (status, refused) = stage.gate(SALE, message).await;
        assert_eq!((status, &refused["code"]), (400, &json!("502")), "{value}");
        assert_eq!(refused["field"], format!("customer.{name}"));
        assert_eq!(refused["constraint"], constraint);
    }
    let cyrillic = changed("last_name", "Петров-O'Neil");
    stage.accept(SALE, cyrillic).await;
    let mut usual = changed("last_name", "Daniëls");
    usual["general"]["payment_id"] = "order-2".into();
    usual["customer"]["ip_address"] = "2001:db8::1".into();
    stage.accept(SALE, usual).await;
}

#[tokio::test]
async fn an_unpaid_sale_is_declined_after_the_time_of_the_switch_decline_after_redirect_s() {
    let mut stage = Stage::with_clock(50_000.0).await;
    stage.set(json!({"decline_after_redirect_s": 10_800})).await;
    let start = Instant::now();
    stage.sell().await;
    stage.callback().await;
    let declined = stage.callback().await;
    assert_eq!(brief(&declined), ("decline", "sale", "decline", 1000));
    assert_eq!(declined["operation"]["code"], "20602");
    // At this clock speed, 10,800 seconds of the platform are 216 ms of real time.
    assert!(start.elapsed() >= Duration::from_millis(216));
}
