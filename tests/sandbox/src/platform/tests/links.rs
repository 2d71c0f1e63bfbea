//! Tests payment links of the Dashboard.

use serde_json::{Value, json};

use super::stage::*;

async fn create(stage: &Stage, link: Value) -> Value {
    let (status, created) = stage.control("links", link).await;
    assert_eq!(status, 201, "{created}");
    created
}

#[tokio::test]
async fn a_link_is_sent_and_paid() {
    let mut stage = Stage::new().await;
    let customer = json!({"last_name": "Johnson"});
    let link = json!({"amount": 1000, "payment_id": "LINK-1", "customer": customer});
    let created = create(&stage, link.clone()).await;
    assert_eq!(created["payment_status"], "awaiting payment");
    let mut callbacks = [stage.callback().await, stage.callback().await];
    callbacks.sort_by_key(|callback| callback["operation"]["status"].to_string());
    for (callback, status) in callbacks.iter().zip(["awaiting payment", "invoice sent"]) {
        assert_eq!(brief(callback), (status, "invoice", status, 1000));
        assert_eq!(callback["payment"]["type"], "invoice");
        assert_eq!(callback["customer"], customer);
    }
    assert_eq!(stage.control("links", link).await.0, 409);

    let url = created["url"].as_str().unwrap();
    assert!(stage.open(url).await.1.contains("10.00 EUR"));
    let bank = stage.post(url, &[]).await;
    assert_eq!(stage.post(url, &[]).await, bank, "button pressed twice");
    let end = stage.pay(&bank).await;
    assert!(stage.open(&end).await.1.contains("Paid"));
    let paid = stage.callback().await;
    assert_eq!(brief(&paid), ("success", "sale", "success", 1000));
    assert_eq!(paid["payment"]["type"], "invoice");
    let answer = stage.status("link-1").await;
    let both = [("invoice", "invoice sent"), ("sale", "success")];
    assert_eq!(operations(&answer), both);
    let record = stage.record("LINK-1").await;
    assert_eq!(record["channel"], "dashboard_link");
    assert_eq!(record["paid"], 1000);
    let late = json!({"status": "expired"});
    assert_eq!(stage.control("payments/LINK-1/link", late).await.0, 409);
}

#[tokio::test]
async fn a_link_that_was_canceled_or_has_expired_cannot_be_paid() {
    let mut stage = Stage::new().await;
    for end in ["invoice canceled", "expired"] {
        let created = create(&stage, json!({"amount": 1000, "send": false})).await;
        stage.callback().await;
        let id = created["payment_id"].as_str().unwrap();
        let path = format!("payments/{id}/link");
        let ended = stage.control(&path, json!({"status": end})).await;
        assert_eq!((ended.0, &ended.1["payment_status"]), (200, &json!(end)));
        let callback = stage.callback().await;
        assert_eq!(brief(&callback), (end, "invoice", end, 1000));
        let url = created["url"].as_str().unwrap();
        assert_eq!(stage.open(url).await.0, 409);
        assert_eq!(stage.post_status(url).await, 409);
    }
    let short = json!({"amount": 1000, "send": false, "expires_in_s": 10});
    create(&stage, short).await;
    stage.callback().await;
    let expired = stage.callback().await;
    assert_eq!(expired["payment"]["status"], "expired");
    assert_eq!(stage.control("links", json!({"amount": 0})).await.0, 400);
}
