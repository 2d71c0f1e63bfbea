//! Tests the delivery of callbacks, and the switches for the delivery.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::stage::*;

#[tokio::test]
async fn a_callback_is_repeated_until_it_is_answered_with_200() {
    let mut stage = Stage::with_failures(2).await;
    stage.sell().await;
    let first = stage.body().await;
    assert_eq!(stage.body().await, first);
    assert_eq!(stage.body().await, first);
    assert!(String::from_utf8_lossy(&first).contains(r"Order\/1 \u00e9"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.has_no_callback();
    let entry = &stage.record("order-1").await["callbacks"][0];
    assert_eq!(entry["attempts"], 3);
    assert_eq!(entry["last_answer"], "200");
}

#[tokio::test]
async fn with_the_switch_intermediate_once_an_intermediate_callback_has_one_attempt() {
    // The merchant refuses two attempts: the redirect callback and the first attempt of the next callback.
    let mut stage = Stage::with_failures(2).await;
    stage.set(json!({"intermediate_once": true})).await;
    stage.sell().await;
    let redirect = stage.callback().await;
    stage.pay_at(&redirect).await;
    for _ in 0..2 {
        assert_eq!(stage.callback().await["payment"]["status"], "success");
    }
    let is_delivered = |record: &Value| record["callbacks"][1]["delivered"] == true;
    let record = stage.until("order-1", is_delivered).await;
    assert_eq!(record["callbacks"][0]["attempts"], 1);
    assert_eq!(record["callbacks"][0]["delivered"], false);
    assert_eq!(record["callbacks"][1]["attempts"], 2);
}

#[tokio::test]
async fn callbacks_are_delayed_with_the_switch_delay_ms() {
    let mut stage = Stage::new().await;
    let start = Instant::now();
    stage.set(json!({"delay_ms": 600})).await;
    stage.sell().await;
    stage.callback().await;
    assert!(start.elapsed() >= Duration::from_millis(600));
}

#[tokio::test]
async fn callbacks_wait_while_the_switch_hold_is_on() {
    let mut stage = Stage::new().await;
    stage.set(json!({"hold": true})).await;
    stage.sell().await;
    let is_held = |record: &Value| record["callbacks"][0]["attempts"] == 0;
    stage.until("order-1", is_held).await;
    stage.has_no_callback();
    stage.set(json!({})).await;
    let redirect = stage.callback().await;
    assert_eq!(redirect["payment"]["status"], "awaiting redirect result");
}

#[tokio::test]
async fn a_callback_and_its_copies_have_no_valid_signature_with_the_switch_tamper() {
    let mut stage = Stage::new().await;
    stage.set(json!({"duplicate": 2, "tamper": true})).await;
    stage.sell().await;
    for _ in 0..3 {
        assert!(!is_signed(&stage.body().await));
    }
}

#[tokio::test]
async fn a_dropped_callback_arrives_after_the_switch_drop_is_turned_off() {
    let mut stage = Stage::new().await;
    stage.set(json!({"drop": true})).await;
    stage.sell().await;
    let is_dropped = |record: &Value| record["callbacks"][0]["last_answer"] == "dropped";
    stage.until("order-1", is_dropped).await;
    stage.has_no_callback();
    stage.set(json!({})).await;
    let late = stage.callback().await;
    assert_eq!(late["payment"]["status"], "awaiting redirect result");
}

#[tokio::test]
async fn a_later_callback_arrives_first_with_the_switch_reorder() {
    let mut stage = Stage::new().await;
    stage.set(json!({"reorder": true})).await;
    stage.sell().await;
    let is_waiting = |record: &Value| record["callbacks"][0].is_object();
    let record = stage.until("order-1", is_waiting).await;
    stage.pay(record["bank_page"].as_str().unwrap()).await;
    assert_eq!(stage.callback().await["payment"]["status"], "success");
    let late = stage.callback().await;
    assert_eq!(late["payment"]["status"], "awaiting redirect result");
}

#[tokio::test]
async fn a_dropped_platform_releases_its_port() {
    let stage = Stage::new().await;
    let port = stage.platform.shared.port;
    drop(stage);
    for _ in 0..100 {
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the port is still in use");
}
