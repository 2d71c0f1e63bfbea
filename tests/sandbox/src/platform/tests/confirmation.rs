//! Tests the confirmation procedure in callbacks, status answers and control calls.

use serde_json::{Value, json};

use super::stage::*;

const CONFIRMATION: &str = "payment confirmation";
const AWAITING: &str = "awaiting confirmation";

#[tokio::test]
async fn the_crediting_is_confirmed_after_the_time_that_the_switch_sets() {
    let mut stage = Stage::with_clock(20.0).await;
    let procedure = json!({"confirmation": {"after_s": 2}});
    let paid = stage.paid_with(procedure).await;
    assert_eq!(brief(&paid), (AWAITING, "sale", "success", 1000));
    let begun = stage.callback().await;
    assert_eq!(brief(&begun), (AWAITING, CONFIRMATION, "processing", 1000));
    assert_eq!(begun["operation"]["code"], "9999");
    let [begun_id, paid_id] = [&begun, &paid].map(|one| &one["operation"]["request_id"]);
    assert_eq!(begun_id, paid_id);
    let credited = stage.callback().await;
    assert_eq!(brief(&credited), ("success", CONFIRMATION, "success", 1000));
    assert_eq!(credited["operation"]["id"], begun["operation"]["id"]);
    let record = stage.record("order-1").await;
    assert_eq!(record["money"]["received"], 1000);
}

#[tokio::test]
async fn a_sale_stays_successful_when_its_crediting_is_declined() {
    let mut stage = Stage::with_clock(20.0).await;
    let procedure = json!({"first_status": "processing", "result": "decline", "after_s": 2});
    let paid = stage.paid_with(json!({"confirmation": procedure})).await;
    assert_eq!(paid["payment"]["status"], "processing");
    stage.callback().await;
    let declined = stage.callback().await;
    assert_eq!(brief(&declined), ("decline", CONFIRMATION, "decline", 1000));
    assert_eq!(declined["operation"]["code"], "20812");

    let answer = stage.status("order-1").await;
    assert_eq!(answer["payment"]["status"], "decline");
    let both = [("sale", "success"), (CONFIRMATION, "decline")];
    assert_eq!(operations(&answer), both);
    let record = stage.record("order-1").await;
    assert_eq!(record["paid"], 0);
    let refused = stage.code(REFUND, refund("order-1", 1, "r-1")).await;
    assert_eq!(refused, "3060");

    // Each report of the provider contradicts the previous report.
    for (result, status) in [("credit", "success"), ("decline", "decline")] {
        let answer = stage.act("confirmation", json!({"result": result})).await;
        assert_eq!(answer["payment_status"], status);
        assert_eq!(stage.callback().await["payment"]["status"], status);
        let path = "payments/order-1/confirmation";
        let repeated = stage.control(path, json!({"result": result})).await;
        assert_eq!(repeated.0, 409);
    }
}

#[tokio::test]
async fn a_sale_is_reversed_when_the_provider_reports_decline_and_reverse() {
    let mut stage = Stage::with_clock(20.0).await;
    let procedure = json!({"confirmation": {"result": "none"}});
    stage.paid_with(procedure).await;
    stage.callback().await;
    let reverse = json!({"result": "decline_and_reverse"});
    stage.act("confirmation", reverse.clone()).await;
    let declined = stage.callback().await;
    assert_eq!(brief(&declined), (AWAITING, CONFIRMATION, "decline", 1000));
    let reversed = stage.callback().await;
    assert_eq!(brief(&reversed), ("reversed", "reversal", "success", 0));
    assert_eq!(reversed["operation"]["sum_initial"]["amount"], 1000);
    let record = stage.record("order-1").await;
    let nothing = json!({"received": 0, "refunded": 0, "reversed": 0, "remaining": 0});
    assert_eq!(record["money"], nothing);
    for (payment, body, status) in [
        ("order-1", reverse, 409),
        ("order-1", json!({"result": "credit"}), 409),
        ("x", json!({"result": "credit"}), 404),
        ("order-1", json!({"result": "maybe"}), 400),
    ] {
        let path = format!("payments/{payment}/confirmation");
        assert_eq!(stage.control(&path, body).await.0, status);
    }
}

#[tokio::test]
async fn a_control_call_starts_the_confirmation_when_the_platform_has_not_started_it() {
    // In real time, the platform starts the confirmation 300 ms after the sale.
    let mut stage = Stage::with_clock(1.0).await;
    stage.paid_with(json!({"confirmation": {}})).await;
    stage.act("confirmation", json!({"result": "credit"})).await;
    let mut statuses = vec![
        stage.callback().await["operation"]["status"].clone(),
        stage.callback().await["operation"]["status"].clone(),
    ];
    statuses.sort_by_key(Value::to_string);
    assert_eq!(statuses, [json!("processing"), json!("success")]);
}
