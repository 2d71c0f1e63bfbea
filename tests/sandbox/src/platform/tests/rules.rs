//! Rules that only some projects have: mandatory fields, addresses, names, time limits and single callbacks.

use super::stage::*;
use super::*;

#[tokio::test]
async fn mandatory_fields_are_refused_or_asked_for() {
    let mut stage = Stage::new(0).await;
    let fields = json!({"mandatory_fields": ["first_name", "email"]});
    stage.put("faults", fields).await;
    let (status, refused) = stage.gate("bancontact/sale", sale("order-1")).await;
    assert_eq!((status, &refused["code"]), (400, &json!("2004")));
    assert_eq!(refused["field"], "customer.first_name");

    let asks = json!({
        "mandatory_fields": ["first_name", "email"],
        "mandatory_fields_missing": "clarify",
        "clarification_form": "schema",
    });
    stage.put("payments/order-1/faults", asks).await;
    assert_eq!(
        stage.code("bancontact/sale", sale("order-1")).await,
        "accepted"
    );
    let asked = stage.callback().await;
    let schema = &asked["clarification_fields"]["customer"];
    assert_eq!(schema["required"], json!(["first_name", "email"]));
    assert_eq!(schema["errors"][0]["constraint"], "required");
    let data = json!({
        "general": {"project_id": 211, "payment_id": "order-1"},
        "additional_data": {"customer": {"first_name": "Ann", "email": "a@example.com"}},
    });
    assert_eq!(stage.code("clarification", data).await, "accepted");
    let redirect = stage.callback().await;
    assert_eq!(redirect["payment"]["status"], "awaiting redirect result");
    assert_eq!(redirect["customer"]["email"], "a@example.com");
}

#[tokio::test]
async fn addresses_and_names_are_refused_as_switched() {
    let stage = Stage::new(0).await;
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
        stage
            .put("payments/order-1/faults", json!({switch: true}))
            .await;
        let message = changed(name, value);
        let (status, refused) = stage.gate("bancontact/sale", message).await;
        assert_eq!((status, &refused["code"]), (400, &json!("502")), "{value}");
        assert_eq!(refused["field"], format!("customer.{name}"));
        assert_eq!(refused["constraint"], constraint);
    }
    let cyrillic = changed("last_name", "Петров-O'Neil");
    assert_eq!(stage.code("bancontact/sale", cyrillic).await, "accepted");
    stage.put("payments/order-2/faults", json!({})).await;
    let mut usual = changed("last_name", "Daniëls");
    usual["general"]["payment_id"] = "order-2".into();
    usual["customer"]["ip_address"] = "2001:db8::1".into();
    assert_eq!(stage.code("bancontact/sale", usual).await, "accepted");
}

#[tokio::test]
async fn an_unpaid_payment_can_end_three_hours_after_the_redirect() {
    let mut stage = Stage::with_clock(0, 50_000.0).await;
    let limit = json!({"decline_after_redirect_s": 10_800});
    stage.put("faults", limit).await;
    let begin = Instant::now();
    stage.code("bancontact/sale", sale("order-1")).await;
    stage.callback().await;
    let declined = stage.callback().await;
    assert_eq!(
        brief(&declined),
        expected("decline", "sale", "decline", 1000)
    );
    assert_eq!(declined["operation"]["code"], "20602");
    assert!(begin.elapsed() >= Duration::from_millis(216));
}

#[tokio::test]
async fn intermediate_callbacks_are_sent_once_as_switched() {
    // The merchant takes neither the first two attempts nor, so, the redirect.
    let mut stage = Stage::new(2).await;
    stage
        .put("faults", json!({"intermediate_once": true}))
        .await;
    stage.code("bancontact/sale", sale("order-1")).await;
    let redirect = stage.callback().await;
    let page = redirect["redirect_data"]["url"].as_str().unwrap();
    stage.pay(page).await;
    for _ in 0..2 {
        assert_eq!(stage.callback().await["payment"]["status"], "success");
    }
    let taken = |record: &Value| record["callbacks"][1]["delivered"] == true;
    let record = stage.until("order-1", taken).await;
    assert_eq!(record["callbacks"][0]["attempts"], 1);
    assert_eq!(record["callbacks"][0]["delivered"], false);
    assert_eq!(record["callbacks"][1]["attempts"], 2);
}
