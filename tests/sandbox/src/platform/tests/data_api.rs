//! The Data API, as the real client meets it.

use aws::data_api_http::{DataApiAccess, HttpDataApi};
use ecommpay::data_api::ListedOperation;
use ecommpay::fields::{ProjectId, Text};
use payments::Timestamp;
use payments::ports::DataApi;

use super::stage::*;
use super::*;
use crate::platform::data_api::{KEY, TOKEN};

fn client(stage: &Stage, token: &str, key: &str) -> HttpDataApi {
    let access = DataApiAccess {
        token: Text::new(token).unwrap(),
        key: ProjectKey::new(key).unwrap(),
    };
    HttpDataApi::new(stage.platform.address(), access).unwrap()
}

async fn list(client: &HttpDataApi, from: Timestamp, to: Timestamp) -> Vec<ListedOperation> {
    let project = ProjectId::new(211).unwrap();
    client.operations(project, from, to, 0).await.unwrap()
}

/// The last minute, and the rest of this second.
fn lately() -> (Timestamp, Timestamp) {
    let now = Timestamp::now();
    (now.before(Duration::from_secs(60)), now)
}

/// A signed request with something changed; gives the status and the answer.
async fn ask(stage: &Stage, change: Value) -> (u16, Value) {
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

fn ids(answer: &Value) -> Vec<&str> {
    let operations = answer["operations"].as_array().unwrap();
    let ids = operations.iter().map(|one| one["payment_id"].as_str());
    ids.map(Option::unwrap).collect()
}

/// A page of the real client, of everything that has ended lately; the client verifies it.
pub async fn page(stage: &Stage, offset: u32) -> Vec<ListedOperation> {
    let project = ProjectId::new(211).unwrap();
    let (from, to) = lately();
    let client = client(stage, TOKEN, KEY);
    client.operations(project, from, to, offset).await.unwrap()
}

#[tokio::test]
async fn what_has_ended_is_listed_for_the_real_client() {
    let mut stage = Stage::new(0).await;
    stage.paid("Order/1 é").await;
    stage.gate("bancontact/sale", sale("open")).await;
    let wanted = refund("Order/1 é", 400, "r-1");
    stage.gate("bancontact/refund", wanted).await;
    while stage.callback().await["operation"]["type"] != "refund" {}

    let client = client(&stage, TOKEN, KEY);
    let (from, to) = lately();
    let listed = list(&client, from, to).await;
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
    assert!(list(&client, from, from).await.is_empty());

    let project = ProjectId::new(211).unwrap();
    let second = client.operations(project, from, to, 1).await.unwrap();
    assert_eq!(second, listed[1..]);
}

#[tokio::test]
async fn the_data_api_can_be_wrong_about_a_payment() {
    let mut stage = Stage::new(0).await;
    for payment in ["hidden", "other"] {
        stage.paid(payment).await;
    }
    let client = client(&stage, TOKEN, KEY);
    let (from, to) = lately();
    for (payment, faults) in [
        ("hidden", json!({ "unlisted": ["sale"] })),
        ("other", json!({ "listed_amount": 900 })),
    ] {
        let path = format!("payments/{payment}/faults");
        assert_eq!(stage.put(&path, faults).await, 200);
    }
    let listed = list(&client, from, to).await;
    let [other] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    assert_eq!(other.payment_id, "other");
    assert_eq!(other.sum_initial.as_ref().unwrap().amount, 900);
    assert_eq!(stage.record("other").await["paid"], 1000);
    let wrong = json!({ "unlisted": ["everything"] });
    assert_eq!(stage.put("payments/other/faults", wrong).await, 400);
}

#[tokio::test]
async fn only_who_has_token_and_key_is_answered() {
    let stage = Stage::new(0).await;
    let (from, to) = lately();
    let project = ProjectId::new(211).unwrap();
    for (token, key) in [(TOKEN, "another key"), ("another token", KEY)] {
        let client = client(&stage, token, key);
        let asked = client.operations(project, from, to, 0).await;
        let error = asked.unwrap_err().to_string();
        assert_eq!(error, "the platform gave no answer: HTTP status 401");
    }
    let (status, answer) = ask(&stage, json!({ "signature": "x" })).await;
    let expected = json!({
        "name": "Unauthorized", "message": "The signature is wrong.", "code": 0, "status": 401,
    });
    assert_eq!((status, answer), (401, expected));
}

#[tokio::test]
async fn intervals_have_zones_and_pages_limits() {
    let mut stage = Stage::new(0).await;
    for payment in ["first", "second"] {
        stage.paid(payment).await;
    }
    let all = ask(&stage, json!({ "limit": 1000, "tz": "UTC" })).await;
    assert_eq!((all.0, ids(&all.1)), (200, vec!["first", "second"]));
    let (_, answer) = ask(&stage, json!({ "limit": 1, "offset": 1 })).await;
    assert_eq!(ids(&answer), ["second"]);

    // An hour of another zone that is now in this one.
    let now = OffsetDateTime::now_utc();
    let there = now.to_offset(time::UtcOffset::from_hms(10, 30, 0).unwrap());
    let day = |of: OffsetDateTime, time: &str| format!("{} {time}", of.date());
    let hour = time::Duration::minutes(30);
    let text =
        |of: OffsetDateTime| format!("{:02}:{:02}:{:02}", of.hour(), of.minute(), of.second());
    let interval = |of: OffsetDateTime| {
        let (from, to) = (of - hour, of + hour);
        json!({ "from": day(from, &text(from)), "to": day(to, &text(to)) })
    };
    for (tz, found) in [("+10:30", 2), ("+00:00", 0)] {
        let (_, answer) = ask(&stage, json!({ "interval": interval(there), "tz": tz })).await;
        assert_eq!(ids(&answer).len(), found, "{tz}");
    }
    for wrong in [
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
        let (status, answer) = ask(&stage, wrong.clone()).await;
        assert_eq!(status, 400, "{wrong}");
        assert_eq!(
            (&answer["name"], &answer["status"]),
            (&json!("Bad Request"), &json!(400))
        );
    }
    let answer = stage.send("/v1/operations/get", "{".into()).await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn the_platforms_own_operations_are_listed_too() {
    let mut stage = Stage::new(0).await;
    let procedure = json!({"result": "decline", "after_s": 1});
    let faults = json!({"confirmation": procedure, "list_transaction_status": true});
    stage.paid_with(faults).await;
    for _ in 0..2 {
        stage.callback().await;
    }
    let (_, answer) = ask(&stage, json!({})).await;
    let listed = answer["operations"].as_array().unwrap().iter();
    let listed: Vec<_> = listed
        .map(|one| {
            (
                one["operation_type"].clone(),
                one["operation_status"].clone(),
            )
        })
        .collect();
    let expected = [
        (json!("sale"), json!("success")),
        (json!("payment confirmation"), json!("decline")),
    ];
    assert_eq!(listed, expected);
    assert_eq!(answer["operations"][0]["transaction_status"], "decline");
    let unlisted = json!({"unlisted": ["payment_confirmation"]});
    stage.put("payments/order-1/faults", unlisted).await;
    let (_, answer) = ask(&stage, json!({})).await;
    assert_eq!(ids(&answer), ["order-1"]);
    assert!(answer["operations"][0].get("transaction_status").is_none());
}
