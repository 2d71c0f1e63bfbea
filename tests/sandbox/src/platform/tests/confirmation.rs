//! The confirmation procedure, as callbacks, status answers and the Data API show it.

use super::stage::*;
use super::*;

const CONFIRMATION: &str = "payment confirmation";

#[tokio::test]
async fn the_crediting_is_confirmed_after_a_while() {
    let mut stage = Stage::with_clock(0, 20.0).await;
    let procedure = json!({"confirmation": {"after_s": 2}});
    let done = stage.paid_with(procedure).await;
    let waiting = "awaiting confirmation";
    assert_eq!(brief(&done), expected(waiting, "sale", "success", 1000));
    let begun = stage.callback().await;
    let is_begun = expected(waiting, CONFIRMATION, "processing", 1000);
    assert_eq!(brief(&begun), is_begun);
    assert_eq!(begun["operation"]["code"], "9999");
    let ids = [&begun, &done].map(|one| one["operation"]["request_id"].clone());
    assert_eq!(ids[0], ids[1]);
    let credited = stage.callback().await;
    let is_credited = expected("success", CONFIRMATION, "success", 1000);
    assert_eq!(brief(&credited), is_credited);
    assert_eq!(credited["operation"]["id"], begun["operation"]["id"]);
    let record = stage.record("order-1").await;
    assert_eq!(record["money"]["came"], 1000);
}

#[tokio::test]
async fn a_declined_crediting_leaves_the_sale_successful() {
    let mut stage = Stage::with_clock(0, 20.0).await;
    let first = json!({"first_status": "processing", "result": "decline", "after_s": 2});
    let done = stage.paid_with(json!({"confirmation": first})).await;
    assert_eq!(done["payment"]["status"], "processing");
    stage.callback().await;
    let declined = stage.callback().await;
    let is_declined = expected("decline", CONFIRMATION, "decline", 1000);
    assert_eq!(brief(&declined), is_declined);
    assert_eq!(declined["operation"]["code"], "20812");

    let answer = stage.status("order-1").await;
    assert_eq!(answer["payment"]["status"], "decline");
    let both = [("sale", "success"), (CONFIRMATION, "decline")];
    assert_eq!(operations(&answer), both);
    let record = stage.record("order-1").await;
    assert_eq!(record["paid"], 0);
    let refused = stage
        .code("bancontact/refund", refund("order-1", 1, "r-1"))
        .await;
    assert_eq!(refused, "3060");

    // The provider reports the opposite.
    let credited = stage.act("confirmation", json!({"result": "credit"})).await;
    assert_eq!(credited["payment_status"], "success");
    assert_eq!(stage.callback().await["payment"]["status"], "success");
    stage
        .act("confirmation", json!({"result": "decline"}))
        .await;
    assert_eq!(stage.callback().await["payment"]["status"], "decline");
}

#[tokio::test]
async fn a_declined_crediting_can_be_followed_by_a_reversal() {
    let mut stage = Stage::with_clock(0, 20.0).await;
    let held = json!({"confirmation": {"result": "none"}});
    stage.paid_with(held).await;
    stage.callback().await;
    let wanted = json!({"result": "decline_and_reverse"});
    stage.act("confirmation", wanted.clone()).await;
    let declined = stage.callback().await;
    let is_declined = expected("awaiting confirmation", CONFIRMATION, "decline", 1000);
    assert_eq!(brief(&declined), is_declined);
    let reversed = stage.callback().await;
    let is_reversed = expected("reversed", "reversal", "success", 0);
    assert_eq!(brief(&reversed), is_reversed);
    assert_eq!(reversed["operation"]["sum_initial"]["amount"], 1000);
    let record = stage.record("order-1").await;
    let nothing = json!({"came": 0, "went_back": 0, "taken_back": 0, "left": 0});
    assert_eq!(record["money"], nothing);
    let again = "payments/order-1/confirmation";
    assert_eq!(stage.control(again, wanted).await.0, 409);
    let unknown = stage
        .control("payments/x/confirmation", json!({"result": "credit"}))
        .await;
    assert_eq!(unknown.0, 404);
    let wrong = stage.control(again, json!({"result": "maybe"})).await;
    assert_eq!(wrong.0, 400);
}

#[tokio::test]
async fn a_control_call_does_not_wait_for_the_operation_to_begin() {
    // In real time the operation begins 300 ms after the sale.
    let mut stage = Stage::with_clock(0, 1.0).await;
    stage.paid_with(json!({"confirmation": {}})).await;
    stage.act("confirmation", json!({"result": "credit"})).await;
    let mut statuses = vec![
        stage.callback().await["operation"]["status"].clone(),
        stage.callback().await["operation"]["status"].clone(),
    ];
    statuses.sort_by_key(Value::to_string);
    assert_eq!(statuses, [json!("processing"), json!("success")]);
}
