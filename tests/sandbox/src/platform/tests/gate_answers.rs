//! Tests the switches for Gate's answers to requests.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::stage::*;

#[tokio::test]
async fn a_request_is_refused_with_the_error_that_the_switch_sets() {
    let mut stage = Stage::new().await;
    for (answer, status, code) in [
        ("error_400", 400, "502"),
        ("error_3041", 400, "3041"),
        ("error_403", 403, "303"),
        ("error_404", 404, "2442"),
        ("error_422", 422, "2003"),
        ("error_500", 500, "501"),
    ] {
        stage.set(json!({"answer": answer})).await;
        let refused = stage.gate(SALE, sale("order-1")).await;
        assert_eq!(refused.0, status);
        assert_eq!(refused.1["status"], "error");
        assert_eq!(refused.1["code"], code);
    }
    assert_eq!(stage.record("order-1").await["status"], Value::Null);

    let once = json!({"answer": "error_500", "answer_to": ["status"], "answer_times": 1});
    stage.set(once).await;
    stage.sell().await;
    stage.callback().await;
    assert_eq!(stage.status_answer("order-1").await.0, 500);
    assert_eq!(stage.status_answer("order-1").await.0, 200);
}

#[tokio::test]
async fn an_answer_can_be_lost_cut_or_html() {
    let mut stage = Stage::new().await;
    let path = "/v2/payment/bancontact/sale";
    let body = signed(sale("order-1"), KEY);
    stage
        .set(json!({"answer": "lost", "answer_times": 1}))
        .await;
    assert!(stage.send(path, body.clone()).await.is_err());
    assert_eq!(stage.record("order-1").await["status"], Value::Null);
    stage.set(json!({"answer": "cut"})).await;
    assert!(stage.send(path, body.clone()).await.is_err());
    stage.set(json!({"answer": "not_json"})).await;
    let answer = stage.send(path, body).await.unwrap();
    assert!(answer.text().await.unwrap().starts_with("<html>"));
    let redirect = stage.callback().await;
    assert_eq!(redirect["payment"]["status"], "awaiting redirect result");
    assert_eq!(stage.record("order-1").await["requests"]["sale"], 3);
    let unknown = json!({"explode": true});
    assert_eq!(stage.put("payments/order-1/faults", unknown).await, 400);
}

#[tokio::test]
async fn an_answer_can_be_slow() {
    let stage = Stage::new().await;
    stage.set(json!({"answer": "slow", "slow_ms": 300})).await;
    let start = Instant::now();
    stage.sell().await;
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn the_status_answer_about_an_unknown_payment_has_the_form_that_the_switch_sets() {
    let stage = Stage::new().await;
    let usual = stage.status("x").await;
    assert_eq!(usual["payment"]["status"], "error");
    assert_eq!(usual["errors"][0]["code"], "3061");
    for (form, has_signature) in [("top_level", true), ("top_level_unsigned", false)] {
        stage.set_defaults(json!({"not_found_form": form})).await;
        let (status, body) = stage.status_answer(&format!("unknown-{form}")).await;
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 200);
        assert_eq!(answer["status"], "error");
        assert_eq!(answer["code"], "3061");
        assert!(answer.get("payment").is_none());
        assert_eq!(answer.get("signature").is_some(), has_signature);
        assert!(!has_signature || is_signed(&body));
    }
}

#[tokio::test]
async fn the_switch_answer_replaces_the_status_answer_about_a_known_payment() {
    let mut stage = Stage::new().await;
    stage.paid("order-1").await;
    for (answer, code) in [("details_not_received", "3062"), ("not_found", "3061")] {
        let once = json!({"answer": answer, "answer_to": ["status"], "answer_times": 1});
        stage.set(once).await;
        let answer = stage.status("order-1").await;
        assert_eq!(answer["payment"]["status"], "error");
        assert_eq!(answer["operations"], json!([]));
        assert_eq!(answer["errors"][0]["code"], code);
        let next = stage.status("order-1").await;
        assert_eq!(next["payment"]["status"], "success");
    }
    let unsigned = json!({
        "answer": "details_not_received",
        "answer_to": ["status"],
        "not_found_form": "top_level_unsigned",
    });
    stage.set(unsigned).await;
    let (_, answer) = stage.gate("status", about("order-1")).await;
    let message = "Payment details not received";
    let expected = json!({"status": "error", "code": "3062", "message": message});
    assert_eq!(answer, expected);
}
