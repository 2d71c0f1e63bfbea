//! Wrong amounts, held payments, further sales and operations of other types.

use super::stage::*;
use super::*;

#[tokio::test]
async fn a_held_payment_waits_for_a_manual_change() {
    let mut stage = Stage::new(0).await;
    let faults = json!({"hold_payment": "processing", "wrong_amount": 900});
    let held = stage.paid_with(faults).await;
    assert_eq!(
        brief(&held),
        expected("processing", "sale", "processing", 1000)
    );
    assert_eq!(stage.record("order-1").await["paid"], 0);
    stage
        .act("manual-change", json!({"result": "success"}))
        .await;
    let settled = stage.callback().await;
    let is_settled = expected("success", "manual change", "success", 900);
    assert_eq!(brief(&settled), is_settled);
    assert_eq!(settled["operation"]["sum_initial"]["amount"], 900);
    let answer = stage.status("order-1").await;
    let both = [("sale", "processing"), ("manual change", "success")];
    assert_eq!(operations(&answer), both);
    assert_eq!(stage.record("order-1").await["money"]["left"], 900);
    let again = stage
        .control(
            "payments/order-1/manual-change",
            json!({"result": "decline"}),
        )
        .await;
    assert_eq!(again.0, 409);
}

#[tokio::test]
async fn a_held_payment_can_be_declined_with_its_sale() {
    let mut stage = Stage::new(0).await;
    let faults = json!({"hold_payment": "external processing"});
    stage.paid_with(faults).await;
    let declined = json!({"result": "decline", "amount": 900, "decline_sale": true});
    stage.act("manual-change", declined).await;
    let declined = stage.callback().await;
    assert_eq!(
        brief(&declined),
        expected("decline", "manual change", "decline", 1000)
    );
    let answer = stage.status("order-1").await;
    let both = [("sale", "decline"), ("manual change", "decline")];
    assert_eq!(operations(&answer), both);
}

#[tokio::test]
async fn a_wrong_amount_and_currency_show_where_they_are_switched() {
    let mut stage = Stage::new(0).await;
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
    assert_eq!(stage.record("order-1").await["money"]["left"], 900);
    let wrong = json!({"wrong_amount_in": ["somewhere"]});
    assert_eq!(stage.put("faults", wrong).await, 400);
}

#[tokio::test]
async fn a_payment_is_charged_twice() {
    let mut stage = Stage::new(0).await;
    stage.paid("order-1").await;
    let second = stage.act("sales", json!({})).await;
    assert_eq!(second["payment_status"], "success");
    let callback = stage.callback().await;
    assert_eq!(
        brief(&callback),
        expected("success", "sale", "success", 2000)
    );
    assert_eq!(callback["operation"]["sum_initial"]["amount"], 1000);
    assert_eq!(callback["operation"]["id"], second["operation_id"]);
    let record = stage.record("order-1").await;
    assert_eq!(
        (&record["paid"], &record["sum"]["amount"]),
        (&json!(2000), &json!(2000))
    );
}

#[tokio::test]
async fn a_cascade_stays_in_processing() {
    let mut stage = Stage::new(0).await;
    stage.code("bancontact/sale", sale("order-1")).await;
    stage.callback().await;
    // The first try is still at the bank.
    let second = stage.act("sales", json!({"amount": 1000})).await;
    assert_eq!(second["payment_status"], "processing");
    let paid = stage.callback().await;
    assert_eq!(
        brief(&paid),
        expected("processing", "sale", "success", 1000)
    );
    let third = stage.act("sales", json!({"status": "processing"})).await;
    stage.callback().await;
    let end = format!("sales/{}", third["operation_id"]);
    stage.act(&end, json!({"status": "decline"})).await;
    assert_eq!(stage.callback().await["operation"]["status"], "decline");
    let record = stage.record("order-1").await;
    let page = record["bank_page"].as_str().unwrap();
    stage.pay(page).await;
    let last = stage.callback().await;
    assert_eq!(brief(&last), expected("success", "sale", "success", 2000));
}

#[tokio::test]
async fn an_operation_of_another_type_succeeds_beside_the_sale() {
    let mut stage = Stage::new(0).await;
    stage.paid("order-1").await;
    let other = json!({"type": "capture settlement", "amount": 300});
    stage.act("operations", other).await;
    let callback = stage.callback().await;
    assert_eq!(
        brief(&callback),
        expected("success", "capture settlement", "success", 1000)
    );
    let money = json!({"type": "commission", "amount": 300, "takes_money": true});
    stage.act("operations", money).await;
    let callback = stage.callback().await;
    assert_eq!(callback["payment"]["sum"]["amount"], 1300);
    let path = "payments/order-1/operations";
    let known = stage.control(path, json!({"type": "refund"})).await;
    assert_eq!(known.0, 409);
}
