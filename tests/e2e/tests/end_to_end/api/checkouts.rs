//! Tests keys, fields and repeated requests of `POST /checkouts` and `GET /payments`.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::storefront::{full_refund, pointers};
use e2e::system::System;
use sandbox::Options;
use serde_json::{Value, json};

#[tokio::test]
async fn a_checkout_request_is_refused_when_its_key_is_unknown_or_a_field_is_invalid()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let storefront = &system.storefront;
    let order = storefront.order("payment-1");
    for key in ["", "sk_sandbox_wrong", "sk_unknown_x", "x"] {
        let stranger = storefront.with_key(key);
        stranger.post("/checkouts", &order, 401).await?;
        stranger.get("/payments/payment-1", 401).await?;
    }

    let bad = json!({
        "payment_id": "a/b", "amount": 99, "currency": "USD", "channel": "card", "colour": "red",
        "customer": { "id": "a;b", "ip_address": "300.1.1.1", "last_name": "Li" },
        "return_url": "https://evil.example/", "expires_in": 0, "language": "es",
    });
    let problem = storefront.post("/checkouts", &bad, 400).await?;
    let mut invalid = pointers(&problem);
    invalid.sort_unstable();
    let expected = [
        "/amount",
        "/channel",
        "/colour",
        "/currency",
        "/customer/id",
        "/customer/ip_address",
        "/customer/last_name",
        "/expires_in",
        "/language",
        "/payment_id",
        "/return_url",
    ];
    ensure!(invalid == expected, "{invalid:?}");
    for amount in [
        json!("1000"),
        json!(1000.5),
        json!(-1000),
        json!(10_000_000_000_001_u64),
        Value::Null,
    ] {
        let order = storefront.order_with("payment-1", json!({ "amount": amount }));
        let problem = storefront.post("/checkouts", &order, 400).await?;
        ensure!(pointers(&problem) == ["/amount"], "{amount}: {problem}");
    }
    system.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_repeated_checkout_request_returns_the_same_checkout_unless_its_content_differs()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let storefront = &system.storefront;
    let first = storefront.create("Repeated").await?;
    ensure_contains(&first, json!({ "app_payment_available": true }))?;
    for spelling in ["Repeated", "rEPEATED"] {
        let same = json!({ "payment_id": spelling });
        let same = storefront.order_with("Repeated", same);
        let repeated = storefront.post("/checkouts", &same, 200).await?;
        let expected = json!({ "payment_id": "Repeated", "checkout_url": first["checkout_url"] });
        ensure_contains(&repeated, expected)?;
    }
    let other = storefront.order_with("Repeated", json!({ "amount": 1001 }));
    storefront.post("/checkouts", &other, 409).await?;
    let sales = system.simulator.request_count("Repeated", "sale").await?;
    ensure!(sales == 1, "{sales} sales were sent");

    for path in [
        "/payments/unknown",
        "/payments/Repeated%3Fx",
        "/payments/Repeated/refunds/r-1",
    ] {
        storefront.get(path, 404).await?;
    }
    let too_early = full_refund("r-1");
    storefront.post_refund("Repeated", &too_early, 409).await?;
    system.stop().await;
    Ok(())
}
