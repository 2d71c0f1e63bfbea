//! Tests the Data API, with the product's client and with requests that this client never sends.

use std::time::Duration;

use aws::data_api_http::{DataApiCredentials, HttpDataApi};
use ecommpay::ProjectKey;
use ecommpay::data_api::ListedOperation;
use ecommpay::fields::{ProjectId, Text};
use payments::Timestamp;
use payments::ports::DataApi;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::stage::*;
use crate::platform::{DATA_API_KEY as KEY, DATA_API_TOKEN as TOKEN};

fn client(stage: &Stage, token: &str, key: &str) -> HttpDataApi {
    let access = DataApiCredentials {
        token: Text::new(token).unwrap(),
        key: ProjectKey::new(key).unwrap(),
    };
    HttpDataApi::new(stage.platform.address(), access).unwrap()
}

async fn list(
    client: &HttpDataApi,
    (from, to): (Timestamp, Timestamp),
    offset: u32,
) -> anyhow::Result<Vec<ListedOperation>> {
    let project = ProjectId::new(211).unwrap();
    Ok(client.operations(project, from, to, offset).await?)
}

/// The Data API compares whole seconds, so the interval includes the current second.
fn last_minute() -> (Timestamp, Timestamp) {
    let now = Timestamp::now();
    (now.before(Duration::from_secs(60)), now)
}

/// Returns the page at `offset` of the last minute's operations.
pub async fn page(stage: &Stage, offset: u32) -> Vec<ListedOperation> {
    let client = client(stage, TOKEN, KEY);
    list(&client, last_minute(), offset).await.unwrap()
}

/// Sends a signed request in which `change` replaces some fields.
async fn request(stage: &Stage, change: Value) -> (u16, Value) {
    let mut request = json!({
        "token": TOKEN,
        "project_id": [211],
        "interval": { "from": "2026-01-01 00:00:00", "to": "2126-01-01 00:00:00" },
    });
    for (name, value) in change.as_object().unwrap() {
        request[name] = value.clone();
    }
    if request.get("signature").is_none() {
        let canonical = ecommpay::signature::canonical_of(&request).unwrap();
        let signature = ProjectKey::new(KEY).unwrap().sign(&canonical);
        request["signature"] = signature.to_base64().into();
    }
    let answer = stage.send("/v1/operations/get", request.to_string()).await;
    let answer = answer.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn payment_ids(answer: &Value) -> Vec<&str> {
    let operations = answer["operations"].as_array().unwrap();
    let ids = operations.iter().map(|one| one["payment_id"].as_str());
    ids.map(Option::unwrap).collect()
}

#[tokio::test]
async fn the_clients_list_has_only_completed_operations() {
    let mut stage = Stage::new().await;
    stage.paid("Order/1 é").await;
    stage.accept(SALE, sale("open")).await;
    stage.accept(REFUND, refund("Order/1 é", 400, "r-1")).await;
    while stage.callback().await["operation"]["type"] != "refund" {}

    let listed = page(&stage, 0).await;
    let seen: Vec<_> = listed
        .iter()
        .map(|one| {
            let amount = one.sum_initial.as_ref().unwrap().amount;
            (one.payment_id.as_str(), one.kind.as_str(), amount)
        })
        .collect();
    let expected = [("Order/1 é", "sale", 1000), ("Order/1 é", "refund", 400)];
    assert_eq!(seen, expected);
    assert!(listed.iter().all(|one| one.status == "success"));
    assert_eq!(page(&stage, 1).await, listed[1..]);

    let (from, _) = last_minute();
    let client = client(&stage, TOKEN, KEY);
    assert!(list(&client, (from, from), 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_switch_removes_an_operation_from_the_list_or_changes_its_amount() {
    let mut stage = Stage::new().await;
    for (payment, faults) in [
        ("hidden", json!({ "unlisted": ["sale"] })),
        ("other", json!({ "listed_amount": 900 })),
    ] {
        stage.paid(payment).await;
        let path = format!("payments/{payment}/faults");
        assert_eq!(stage.put(&path, faults).await, 200);
    }
    let listed = page(&stage, 0).await;
    let [other] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    assert_eq!(other.payment_id, "other");
    assert_eq!(other.sum_initial.as_ref().unwrap().amount, 900);
    assert_eq!(stage.record("other").await["paid"], 1000);
    let unknown = json!({ "unlisted": ["everything"] });
    assert_eq!(stage.put("payments/other/faults", unknown).await, 400);
}

#[tokio::test]
async fn a_request_with_a_wrong_token_or_key_is_refused() {
    let stage = Stage::new().await;
    for (token, key) in [(TOKEN, "another key"), ("another token", KEY)] {
        let client = client(&stage, token, key);
        let listed = list(&client, last_minute(), 0).await;
        let error = listed.unwrap_err().to_string();
        assert_eq!(error, "the platform gave no usable answer: HTTP status 401");
    }
    let (status, answer) = request(&stage, json!({ "signature": "x" })).await;
    let expected = json!({
        "name": "Unauthorized", "message": "The signature is invalid.", "code": 0, "status": 401,
    });
    assert_eq!((status, answer), (401, expected));
}

#[tokio::test]
async fn a_request_can_set_the_time_zone_the_page_size_and_the_offset() {
    let mut stage = Stage::new().await;
    for payment in ["first", "second"] {
        stage.paid(payment).await;
    }
    let (_, answer) = request(&stage, json!({ "limit": 1000, "tz": "UTC" })).await;
    assert_eq!(payment_ids(&answer), ["first", "second"]);
    let (_, answer) = request(&stage, json!({ "limit": 1, "offset": 1 })).await;
    assert_eq!(payment_ids(&answer), ["second"]);

    // One hour around the current time, written in the zone +10:30.
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let zone = time::UtcOffset::from_hms(10, 30, 0).unwrap();
    let now = OffsetDateTime::now_utc().to_offset(zone);
    let half_an_hour = time::Duration::minutes(30);
    let interval = json!({
        "from": (now - half_an_hour).format(format).unwrap(),
        "to": (now + half_an_hour).format(format).unwrap(),
    });
    for (tz, found) in [("+10:30", 2), ("+00:00", 0)] {
        let (_, answer) = request(&stage, json!({ "interval": interval, "tz": tz })).await;
        assert_eq!(payment_ids(&answer).len(), found, "{tz}");
    }
}

#[tokio::test]
async fn invalid_requests_are_refused() {
    let stage = Stage::new().await;
    for invalid in [
        json!({ "tz": "Europe/Brussels" }),
        json!({ "limit": 0 }),
        json!({ "limit": 1001 }),
        json!({ "offset": -1 }),
        json!({ "project_id": 211 }),
        json!({ "project_id": [212] }),
        json!({ "customer_id": "c" }),
        json!({ "interval": { "from": "2026-01-01" } }),
        json!({ "interval": { "from": "2026-01-02 00:00:00", "to": "2026-01-01 00:00:00" } }),
    ] {
        let (status, answer) = request(&stage, invalid.clone()).await;
        assert_eq!(status, 400, "{invalid}");
        assert_eq!(answer["name"], "Bad Request");
        assert_eq!(answer["status"], 400);
    }
    let answer = stage.send("/v1/operations/get", "{".into()).await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn a_payment_confirmation_is_listed_like_any_operation() {
    let mut stage = Stage::new().await;
    let procedure = json!({"result": "decline", "after_s": 1});
    let faults = json!({"confirmation": procedure, "list_transaction_status": true});
    stage.paid_with(faults).await;
    for _ in 0..2 {
        stage.callback().await;
    }
    let (_, answer) = request(&stage, json!({})).await;
    let listed = answer["operations"].as_array().unwrap().iter();
    let listed: Vec<_> = listed
        .map(|one| {
            let kind = one["operation_type"].as_str().unwrap();
            (kind, one["operation_status"].as_str().unwrap())
        })
        .collect();
    let expected = [("sale", "success"), ("payment confirmation", "decline")];
    assert_eq!(listed, expected);
    assert_eq!(answer["operations"][0]["transaction_status"], "decline");
    stage
        .set(json!({"unlisted": ["payment_confirmation"]}))
        .await;
    let (_, answer) = request(&stage, json!({})).await;
    assert_eq!(payment_ids(&answer), ["order-1"]);
    assert!(answer["operations"][0].get("transaction_status").is_none());
}
