//! Tests wrong amounts, held payments, further sales, and operations of unknown types.

use serde_json::json;

use super::stage::*;

#[tokio::test]
async fn a_held_payment_waits_for_a_manual_change() {
    let mut stage = Stage::new().await;
    let faults = json!({"hold_payment": "processing", "wrong_amount": 900});
    let held = stage.paid_with(faults).await;
    assert_eq!(brief(&held), ("processing", "sale", "processing", 1000));
    assert_eq!(stage.record("order-1").await["paid"], 0);
    let success = json!({"result": "success"});
    stage.act("manual-change", success).await;
    let changed = stage.callback().await;
    assert_eq!(
        brief(&changed),
        ("success", "manual change", "success", 900)
    );
    assert_eq!(changed["operation"]["sum_initial"]["amount"], 900);
    let answer = stage.status("order-1").await;
    let both = [("sale", "processing"), ("manual change", "success")];
    assert_eq!(operations(&answer), both);
    let record = stage.record("order-1").await;
    assert_eq!(record["money"]["remaining"], 900);
    let again = "payments/order-1/manual-change";
    let decline = json!({"result": "decline"});
    assert_eq!(stage.control(again, decline).await.0, 409);
}

#[tokio::test]
async fn a_held_payment_can_be_declined_with_its_sale() {
    let mut stage = Stage::new().await;
    let faults = json!({"hold_payment": "external processing"});
    stage.paid_with(faults).await;
    let decline = json!({"result": "decline", "amount": 900, "decline_sale": true});
    stage.act("manual-change", decline).await;
    let declined = stage.callback().await;
    let expected = ("decline", "manual change", "decline", 1000);
    assert_eq!(brief(&declined), expected);
    let answer = stage.status("order-1").await;
    let both = [("sale", "decline"), ("manual change", "decline")];
    assert_eq!(operations(&answer), both);
}

#[tokio::test]
async fn a_wrong_amount_and_currency_are_shown_in_the_fields_of_the_switch_wrong_amount_in() {
    let mut stage = Stage::new().await;
    let faults = json!({
        "wrong_amount": 900,
        "wrong_amount_in": ["sum_initial"],
        "wrong_currency": "USD",
    });
    let paid = stage.paid_with(faults).await;
    let euros = json!({"amount": 1000, "currency": "EUR"});
    let dollars = json!({"amount": 900, "currency": "USD"});
    assert_eq!(paid["payment"]["sum"], euros);
    assert_eq!(paid["operation"]["sum_initial"], dollars);
    assert_eq!(paid["operation"]["sum_converted"], euros);
    let record = stage.record("order-1").await;
    assert_eq!(record["money"]["remaining"], 900);
    let unknown = json!({"wrong_amount_in": ["somewhere"]});
    assert_eq!(stage.put("faults", unknown).await, 400);
}

#[tokio::test]
async fn the_bank_charges_one_cent_less_when_the_switch_wrong_amount_is_true() {
    let mut stage = Stage::new().await;
    let paid = stage.paid_with(json!({"wrong_amount": true})).await;
    assert_eq!(paid["payment"]["sum"]["amount"], 999);
    assert_eq!(paid["operation"]["sum_initial"]["amount"], 1000);
}

#[tokio::test]
async fn a_payment_can_be_charged_twice() {
    let mut stage = Stage::new().await;
    stage.paid("order-1").await;
    let second = stage.act("sales", json!({})).await;
    assert_eq!(second["payment_status"], "success");
    let callback = stage.callback().await;
    assert_eq!(brief(&callback), ("success", "sale", "success", 2000));
    assert_eq!(callback["operation"]["sum_initial"]["amount"], 1000);
    assert_eq!(callback["operation"]["id"], second["operation_id"]);
    let record = stage.record("order-1").await;
    let paid = (&record["paid"], &record["sum"]["amount"]);
    assert_eq!(paid, (&json!(2000), &json!(2000)));
    stage.accept(REFUND, refund("order-1", 2000, "r-1")).await;
    let refunded = stage.callback().await;
    assert_eq!(brief(&refunded), ("refunded", "refund", "success", 0));
}

#[tokio::test]
async fn a_payment_with_several_sales_stays_in_processing_until_every_sale_is_decided() {
    let mut stage = Stage::new().await;
    stage.sell().await;
    stage.callback().await;
    // The first sale is still undecided.
    let second = stage.act("sales", json!({"amount": 1000})).await;
    assert_eq!(second["payment_status"], "processing");
    let paid = stage.callback().await;
    assert_eq!(brief(&paid), ("processing", "sale", "success", 1000));
    let third = stage.act("sales", json!({"status": "processing"})).await;
    stage.callback().await;
    let end = format!("sales/{}", third["operation_id"]);
    stage.act(&end, json!({"status": "decline"})).await;
    assert_eq!(stage.callback().await["operation"]["status"], "decline");
    let record = stage.record("order-1").await;
    stage.pay(record["bank_page"].as_str().unwrap()).await;
    let last = stage.callback().await;
    assert_eq!(brief(&last), ("success", "sale", "success", 2000));
}

#[tokio::test]
async fn an_operation_of_another_type_can_take_money() {
    let mut stage = Stage::new().await;
    stage.paid("order-1").await;
    let other = json!({"type": "capture settlement", "amount": 300});
    stage.act("operations", other).await;
    let callback = stage.callback().await;
    let expected = ("success", "capture settlement", "success", 1000);
    assert_eq!(brief(&callback), expected);
    let charge = json!({"type": "commission", "amount": 300, "takes_money": true});
    stage.act("operations", charge).await;
    let callback = stage.callback().await;
    assert_eq!(callback["payment"]["sum"]["amount"], 1300);
    let path = "payments/order-1/operations";
    let simulated = stage.control(path, json!({"type": "refund"})).await;
    assert_eq!(simulated.0, 409);
}
