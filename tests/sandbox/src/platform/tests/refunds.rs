//! Tests refunds that are reversed, that wait at the provider, or that need data.

use std::time::Duration;

use serde_json::json;

use super::stage::*;

#[tokio::test]
async fn a_refund_is_reversed_in_parts() {
    let mut stage = Stage::new().await;
    stage.paid("order-1").await;
    stage.accept(REFUND, refund("order-1", 1000, "r-1")).await;
    let refunded = stage.callback().await;
    let id = refunded["operation"]["id"].as_u64().unwrap();
    let reverse = format!("refunds/{id}/reverse");

    stage.act(&reverse, json!({"amount": 250})).await;
    let part = stage.callback().await;
    let expected = ("partially refunded", "refund reverse", "success", 250);
    assert_eq!(brief(&part), expected);
    assert_eq!(part["operation"]["sum_initial"]["amount"], 250);
    assert_eq!(part["payment"].get("merchant_refund_id"), None);
    let request_id = &part["operation"]["request_id"];
    assert_eq!(request_id, &refunded["operation"]["request_id"]);

    let full_path = format!("payments/order-1/{reverse}");
    let too_large = json!({"amount": 751});
    assert_eq!(stage.control(&full_path, too_large).await.0, 409);
    let with_id = json!({"with_merchant_refund_id": true});
    stage.act(&reverse, with_id).await;
    let rest = stage.callback().await;
    assert_eq!(brief(&rest), ("success", "refund reverse", "success", 1000));
    assert_eq!(rest["payment"]["merchant_refund_id"], "r-1");

    assert_eq!(stage.control(&full_path, json!({})).await.0, 409);
    let record = stage.record("order-1").await;
    let money = json!({"received": 1000, "refunded": 1000, "reversed": 1000, "remaining": 1000});
    assert_eq!(record["money"], money);
    let effects = record["operations"].as_array().unwrap().iter();
    let effects: Vec<_> = effects.map(|one| one["effect"].as_i64().unwrap()).collect();
    assert_eq!(effects, [1000, -1000, 250, 750]);

    stage.accept(REFUND, refund("order-1", 1001, "r-2")).await;
    assert_eq!(stage.callback().await["operation"]["code"], "3283");
    stage.accept(REFUND, refund("order-1", 1000, "r-3")).await;
    assert_eq!(stage.callback().await["payment"]["status"], "refunded");
}

#[tokio::test]
async fn a_payment_is_in_external_processing_while_a_refund_is_at_the_provider() {
    let mut stage = Stage::new().await;
    stage.paid_with(json!({"refund_external_s": 40})).await;
    stage.accept(REFUND, refund("order-1", 400, "r-1")).await;
    let external = "external processing";
    let at_provider = stage.callback().await;
    assert_eq!(brief(&at_provider), (external, "refund", external, 1000));
    assert_eq!(at_provider["operation"]["code"], "29999");
    // The pause ensures that the first refund succeeds before the second.
    tokio::time::sleep(Duration::from_millis(100)).await;
    stage.accept(REFUND, refund("order-1", 600, "r-2")).await;
    stage.callback().await;
    let first = stage.callback().await;
    assert_eq!(brief(&first), (external, "refund", "success", 600));
    let second = stage.callback().await;
    assert_eq!(brief(&second), ("refunded", "refund", "success", 0));
}

#[tokio::test]
async fn a_refund_continues_when_its_data_is_complete() {
    let mut stage = Stage::new().await;
    let fields = json!({"account": ["number", "holder"]});
    stage
        .paid_with(json!({"refund_clarification": fields}))
        .await;
    stage.accept(REFUND, refund("order-1", 400, "r-1")).await;
    let waiting = stage.callback().await;
    let expected = ("success", "refund", "awaiting clarification", 1000);
    assert_eq!(brief(&waiting), expected);
    assert_eq!(waiting["operation"]["code"], "3191");
    assert_eq!(waiting["clarification_fields"], fields);
    assert_eq!(waiting["payment"]["merchant_refund_id"], "r-1");
    let answer = stage.status("order-1").await;
    assert_eq!(answer["clarification_fields"], fields);

    let half = clarification(json!({"account": {"number": "BE1"}}));
    stage.accept("clarification", half).await;
    let incomplete = stage.callback().await;
    let missing = json!({"account": ["holder"]});
    assert_eq!(incomplete["clarification_fields"], missing);
    let rest = clarification(json!({"account": {"holder": "Maes"}}));
    stage.accept("clarification", rest.clone()).await;
    let done = stage.callback().await;
    let expected = ("partially refunded", "refund", "success", 600);
    assert_eq!(brief(&done), expected);
    assert_eq!(stage.code("clarification", rest).await, "3060");
}

#[tokio::test]
async fn a_refund_is_declined_when_its_data_is_missing_for_half_an_hour() {
    let mut stage = Stage::with_clock(10_000.0).await;
    let schema = json!({
        "refund_clarification": {"account": ["number"]},
        "clarification_form": "schema",
    });
    stage.paid_with(schema).await;
    stage.accept(REFUND, refund("order-1", 400, "r-1")).await;
    let waiting = stage.callback().await;
    let schema = &waiting["clarification_fields"]["account"];
    assert_eq!(schema["required"], json!(["number"]));
    let declined = stage.callback().await;
    assert_eq!(brief(&declined), ("success", "refund", "decline", 1000));
    assert_eq!(declined["operation"]["code"], "3191");
}
