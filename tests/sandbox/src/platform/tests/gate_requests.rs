//! Tests requests to Gate and to the Dashboard: which are accepted, and what they cause.

use serde_json::{Value, json};

use super::stage::*;

#[tokio::test]
async fn an_invalid_sale_is_refused_with_gates_code_for_the_error() {
    let stage = Stage::new().await;
    let code = async |body: String| {
        let answer = stage.send("/v2/payment/bancontact/sale", body).await;
        let answer = answer.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        (status, body["code"].as_str().unwrap().to_owned())
    };
    let refused = |code: &str| (400, code.to_owned());
    assert_eq!(code("{".into()).await, (422, "2003".into()));
    assert_eq!(code(signed(sale("p"), "other")).await, refused("3261"));
    assert_eq!(code(sale("p").to_string()).await, refused("3262"));
    for (path, value, expected) in [
        ("/general/project_id", json!(212), "2442"),
        ("/general/payment_id", json!(""), "2004"),
        ("/payment/amount", json!("1000"), "2004"),
        ("/payment/currency", json!("USD"), "3121"),
        ("/customer/ip_address", json!("nowhere"), "2004"),
        ("/return_url/return", json!("javascript:alert(1)"), "2004"),
    ] {
        let mut message = sale("p");
        *message.pointer_mut(path).unwrap() = value;
        let body = signed(message, KEY);
        assert_eq!(code(body).await, refused(expected), "{path}");
    }
    stage.accept(SALE, sale("p")).await;
    assert_eq!(stage.code(SALE, sale("P")).await, "3041");
    assert_eq!(stage.record("p").await["requests"]["sale"], 9);
}

#[tokio::test]
async fn invalid_refunds_are_refused_and_too_large_refunds_are_declined_later() {
    let mut stage = Stage::new().await;
    let early = stage.code(REFUND, refund("order-1", 1, "r-0")).await;
    assert_eq!(early, "3061");
    stage.paid("order-1").await;
    for (name, value, expected) in [
        ("amount", Value::Null, "3286"),
        ("currency", Value::Null, "3287"),
        ("currency", json!("USD"), "3284"),
        ("description", Value::Null, "2004"),
    ] {
        let mut message = refund("order-1", 100, "r-0");
        let payment = message["payment"].as_object_mut().unwrap();
        payment.remove(name);
        if !value.is_null() {
            payment.insert(name.into(), value);
        }
        assert_eq!(stage.code(REFUND, message).await, expected, "{name}");
    }
    let too_large = || refund("order-1", 1001, "r-1");
    stage.accept(REFUND, too_large()).await;
    let declined = stage.callback().await;
    assert_eq!(brief(&declined), ("success", "refund", "decline", 1000));
    assert_eq!(declined["operation"]["code"], "3283");
    assert_eq!(stage.code(REFUND, too_large()).await, "3230");

    let dashboard = "payments/order-1/refunds";
    assert_eq!(stage.control(dashboard, json!({})).await.0, 202);
    let refunded = stage.callback().await;
    assert_eq!(refunded["payment"]["status"], "refunded");
    assert_eq!(refunded["payment"].get("merchant_refund_id"), None);
    let late = stage.code(REFUND, refund("order-1", 1, "r-2")).await;
    assert_eq!(late, "3060");
    assert_eq!(stage.code(REFUND, too_large()).await, "3230");
}

#[tokio::test]
async fn clarification_is_requested_if_the_last_name_is_missing() {
    let mut stage = Stage::new().await;
    let mut message = sale("order-1");
    let customer = message["customer"].as_object_mut().unwrap();
    customer.remove("last_name");
    stage.accept(SALE, message).await;
    let waiting = stage.callback().await;
    assert_eq!(waiting["operation"]["code"], "3191");
    let missing = json!({"customer": ["last_name"]});
    assert_eq!(waiting["clarification_fields"], missing);
    let data = clarification(json!({"customer": {"last_name": "Maes"}}));
    stage.accept("clarification", data).await;
    let redirect = stage.callback().await;
    assert_eq!(redirect["customer"]["last_name"], "Maes");
    assert!(redirect["redirect_data"]["url"].is_string());
}

#[tokio::test]
async fn a_payment_id_can_be_used_again_after_an_error() {
    let mut stage = Stage::new().await;
    stage.set(json!({"sale_error": true})).await;
    stage.sell().await;
    let failed = stage.callback().await;
    assert_eq!(failed["payment"]["status"], "error");
    assert_eq!(failed["errors"][0]["code"], "502");
    stage.set(json!({})).await;
    stage.sell().await;
}
