//! Refunds that are taken back, or ask for data.

use super::stage::*;
use super::*;

#[tokio::test]
async fn a_refund_is_taken_back() {
    let mut stage = Stage::new(0).await;
    stage.paid("order-1").await;
    let path = "bancontact/refund";
    stage.code(path, refund("order-1", 1000, "r-1")).await;
    let refunded = stage.callback().await;
    let id = refunded["operation"]["id"].as_u64().unwrap();
    let reverse = format!("refunds/{id}/reverse");

    stage.act(&reverse, json!({"amount": 250})).await;
    let part = stage.callback().await;
    let is_part = expected("partially refunded", "refund reverse", "success", 250);
    assert_eq!(brief(&part), is_part);
    assert_eq!(part["operation"]["sum_initial"]["amount"], 250);
    assert_eq!(part["payment"].get("merchant_refund_id"), None);
    let request_id = &part["operation"]["request_id"];
    assert_eq!(request_id, &refunded["operation"]["request_id"]);

    let with_id = json!({"with_merchant_refund_id": true});
    stage.act(&reverse, with_id).await;
    let rest = stage.callback().await;
    let is_rest = expected("success", "refund reverse", "success", 1000);
    assert_eq!(brief(&rest), is_rest);
    assert_eq!(rest["payment"]["merchant_refund_id"], "r-1");

    let full_path = format!("payments/order-1/{reverse}");
    assert_eq!(stage.control(&full_path, json!({})).await.0, 409);
    let record = stage.record("order-1").await;
    let money = json!({"came": 1000, "went_back": 1000, "taken_back": 1000, "left": 1000});
    assert_eq!(record["money"], money);
    let effects = record["operations"].as_array().unwrap().iter();
    let effects: Vec<_> = effects.map(|one| one["effect"].as_i64().unwrap()).collect();
    assert_eq!(effects, [1000, -1000, 250, 750]);

    stage.code(path, refund("order-1", 1001, "r-2")).await;
    let too_much = stage.callback().await;
    assert_eq!(too_much["operation"]["code"], "3283");
    stage.code(path, refund("order-1", 1000, "r-3")).await;
    assert_eq!(stage.callback().await["payment"]["status"], "refunded");
}

#[tokio::test]
async fn a_refund_at_the_provider_hides_the_status_of_the_payment() {
    let mut stage = Stage::new(0).await;
    stage.paid_with(json!({"refund_external_s": 40})).await;
    let path = "bancontact/refund";
    stage.code(path, refund("order-1", 400, "r-1")).await;
    let external = "external processing";
    let handed_over = stage.callback().await;
    let is_handed_over = expected(external, "refund", external, 1000);
    assert_eq!(brief(&handed_over), is_handed_over);
    assert_eq!(handed_over["operation"]["code"], "29999");
    // The pause keeps the callbacks of the two refunds in order.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let meanwhile = stage.code(path, refund("order-1", 600, "r-2")).await;
    assert_eq!(meanwhile, "accepted");
    stage.callback().await;
    let first = stage.callback().await;
    assert_eq!(brief(&first), expected(external, "refund", "success", 600));
    let second = stage.callback().await;
    assert_eq!(brief(&second), expected("refunded", "refund", "success", 0));
}

fn data(account: Value) -> Value {
    json!({
        "general": {"project_id": 211, "payment_id": "order-1"},
        "additional_data": {"account": account},
    })
}

#[tokio::test]
async fn a_refund_asks_for_data() {
    let mut stage = Stage::new(0).await;
    let faults = json!({"refund_clarification": {"account": ["number", "holder"]}});
    stage.paid_with(faults).await;
    stage
        .code("bancontact/refund", refund("order-1", 400, "r-1"))
        .await;
    let asked = stage.callback().await;
    let is_asked = expected("success", "refund", "awaiting clarification", 1000);
    assert_eq!(brief(&asked), is_asked);
    assert_eq!(asked["operation"]["code"], "3191");
    let fields = json!({"account": ["number", "holder"]});
    assert_eq!(asked["clarification_fields"], fields);
    assert_eq!(asked["payment"]["merchant_refund_id"], "r-1");
    let answer = stage.status("order-1").await;
    assert_eq!(answer["clarification_fields"], fields);

    let path = "clarification";
    let half = data(json!({"number": "BE1"}));
    assert_eq!(stage.code(path, half).await, "accepted");
    let still = stage.callback().await;
    let fields = json!({"account": ["holder"]});
    assert_eq!(still["clarification_fields"], fields);
    let rest = data(json!({"holder": "Maes"}));
    assert_eq!(stage.code(path, rest.clone()).await, "accepted");
    let done = stage.callback().await;
    let is_done = expected("partially refunded", "refund", "success", 600);
    assert_eq!(brief(&done), is_done);
    assert_eq!(stage.code(path, rest).await, "3060");
}

#[tokio::test]
async fn a_refund_without_its_data_is_declined_after_half_an_hour() {
    let mut stage = Stage::with_clock(0, 10_000.0).await;
    let schema = json!({
        "refund_clarification": {"account": ["number"]},
        "clarification_form": "schema",
    });
    stage.paid_with(schema).await;
    stage
        .code("bancontact/refund", refund("order-1", 400, "r-1"))
        .await;
    let asked = stage.callback().await;
    let schema = &asked["clarification_fields"]["account"];
    assert_eq!(schema["required"], json!(["number"]));
    let declined = stage.callback().await;
    assert_eq!(
        brief(&declined),
        expected("success", "refund", "decline", 1000)
    );
    assert_eq!(declined["operation"]["code"], "3191");
}
