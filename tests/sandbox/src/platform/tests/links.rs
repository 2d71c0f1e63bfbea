//! Payment links of the Dashboard.

use super::stage::*;
use super::*;

/// Creates a link that is not sent by itself; its first callback is out of the way.
async fn create(stage: &mut Stage, link: Value) -> Value {
    let (status, created) = stage.control("links", link).await;
    assert_eq!(status, 201, "{created}");
    created
}

#[tokio::test]
async fn a_link_is_sent_and_paid() {
    let mut stage = Stage::new(0).await;
    let customer = json!({"last_name": "Johnson"});
    let link = json!({"amount": 1000, "payment_id": "LINK-1", "customer": customer});
    let created = create(&mut stage, link.clone()).await;
    assert_eq!(created["payment_status"], "awaiting payment");
    let mut callbacks = [stage.callback().await, stage.callback().await];
    callbacks.sort_by_key(|one| one["operation"]["status"].to_string());
    for (callback, status) in callbacks.iter().zip(["awaiting payment", "invoice sent"]) {
        assert_eq!(brief(callback), expected(status, "invoice", status, 1000));
        assert_eq!(callback["payment"]["type"], "invoice");
        assert_eq!(callback["customer"], customer);
    }
    assert_eq!(stage.control("links", link).await.0, 409);

    let url = created["url"].as_str().unwrap();
    let page = stage.client.get(url).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("10.00 EUR"));
    let begun = stage.client.post(url).send().await.unwrap();
    assert_eq!(begun.status(), 303);
    let bank = begun.headers()["location"].to_str().unwrap().to_owned();
    let twice = stage.client.post(url).send().await.unwrap();
    assert_eq!(twice.headers()["location"], bank.as_str());
    let back = stage
        .client
        .post(format!("{bank}/pay"))
        .send()
        .await
        .unwrap();
    let end = back.headers()["location"].to_str().unwrap();
    let end = stage.client.get(end).send().await.unwrap();
    assert!(end.text().await.unwrap().contains("Paid"));
    let paid = stage.callback().await;
    assert_eq!(brief(&paid), expected("success", "sale", "success", 1000));
    assert_eq!(paid["payment"]["type"], "invoice");
    let answer = stage.status("link-1").await;
    let both = [("invoice", "invoice sent"), ("sale", "success")];
    assert_eq!(operations(&answer), both);
    let record = stage.record("LINK-1").await;
    assert_eq!(record["channel"], "dashboard_link");
    assert_eq!(record["paid"], 1000);
    let path = "payments/LINK-1/link";
    let late = stage.control(path, json!({"status": "expired"})).await;
    assert_eq!(late.0, 409);
}

#[tokio::test]
async fn a_link_expires_or_is_canceled() {
    let mut stage = Stage::new(0).await;
    for (link, end) in [
        (json!({"amount": 1000, "send": false}), "invoice canceled"),
        (json!({"amount": 1000, "send": false}), "expired"),
    ] {
        let created = create(&mut stage, link).await;
        stage.callback().await;
        let id = created["payment_id"].as_str().unwrap();
        let path = format!("payments/{id}/link");
        let ended = stage.control(&path, json!({"status": end})).await;
        assert_eq!((ended.0, &ended.1["payment_status"]), (200, &json!(end)));
        let callback = stage.callback().await;
        assert_eq!(brief(&callback), expected(end, "invoice", end, 1000));
        let url = created["url"].as_str().unwrap();
        assert_eq!(stage.client.get(url).send().await.unwrap().status(), 409);
        assert_eq!(stage.client.post(url).send().await.unwrap().status(), 409);
    }
    let short = json!({"amount": 1000, "send": false, "expires_in_s": 10});
    create(&mut stage, short).await;
    stage.callback().await;
    let expired = stage.callback().await;
    assert_eq!(expired["payment"]["status"], "expired");
    assert_eq!(stage.control("links", json!({"amount": 0})).await.0, 400);
}
