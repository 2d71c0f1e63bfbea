//! Tests the choices of a shopper at the bank.

use serde_json::json;

use super::stage::*;

#[tokio::test]
async fn a_sale_is_redirected_paid_at_the_bank_and_refunded() {
    let mut stage = Stage::new().await;
    let (status, accepted) = stage.gate(SALE, sale("order-1")).await;
    assert_eq!((status, &accepted["payment_id"]), (200, &json!("order-1")));
    let redirect = stage.callback().await;
    assert_eq!(redirect["payment"]["status"], "awaiting redirect result");
    assert_eq!(redirect["operation"]["request_id"], accepted["request_id"]);
    assert_eq!(redirect["redirect_data"]["method"], "GET");
    assert_eq!(redirect["redirect_data"]["body"], json!([]));

    let page = redirect["redirect_data"]["url"].as_str().unwrap();
    let (_, html) = stage.open(page).await;
    for part in ["id=\"qr\"", "id=\"pay\"", "id=\"walk-away\"", "10.00 EUR"] {
        assert!(html.contains(part), "{part}");
    }
    assert_eq!(stage.pay(page).await, "https://shop.example/success");
    assert_eq!(stage.post_status(&format!("{page}/pay")).await, 409);
    let success = stage.callback().await;
    assert_eq!(brief(&success), ("success", "sale", "success", 1000));

    stage.accept(REFUND, refund("ORDER-1", 400, "r-1")).await;
    let refunded = stage.callback().await;
    let expected = ("partially refunded", "refund", "success", 600);
    assert_eq!(brief(&refunded), expected);
    assert_eq!(refunded["payment"]["merchant_refund_id"], "r-1");
    assert_eq!(refunded["operation"]["sum_initial"]["amount"], 400);

    let answer = stage.status("order-1").await;
    assert_eq!(answer["operations"].as_array().unwrap().len(), 2);
    stage.platform.stop().await;
}

#[tokio::test]
async fn the_shopper_can_leave_the_bank_return_and_decline() {
    let mut stage = Stage::new().await;
    let mut message = sale("order-1");
    message["payment"]["amount"] = json!(50_000);
    message["return_url"]["return"] = json!("https://shop.example/é");
    stage.accept(SALE, message).await;
    let redirect = stage.callback().await;
    let page = redirect["redirect_data"]["url"].as_str().unwrap();
    let (_, html) = stage.open(page).await;
    assert!(!html.contains("id=\"qr\""));
    for choice in ["walk-away", "decline"] {
        let back = stage.post(&format!("{page}/{choice}"), &[]).await;
        assert_eq!(back, "https://shop.example/%C3%A9");
    }
    let declined = stage.callback().await;
    assert_eq!(declined["payment"]["status"], "decline");
    assert_eq!(declined["operation"]["code"], "20301");
    assert_eq!(stage.post_status(&format!("{page}/pay")).await, 409);
}

#[tokio::test]
async fn a_form_that_the_browser_posts_to_the_bank_is_redirected_to_a_second_origin() {
    let mut stage = Stage::new().await;
    stage.set(json!({"redirect_method": "POST"})).await;
    stage.sell().await;
    let data = stage.callback().await["redirect_data"].take();
    assert_eq!(data["method"], "POST");
    let url = data["url"].as_str().unwrap();
    let form = data["body"].as_object().unwrap().iter();
    let form: Vec<_> = form
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let next = stage.post(url, &form).await;
    assert!(next.starts_with("http://localhost:"), "{next}");
    assert_eq!(stage.open(&next).await.0, 200);
    assert_eq!(stage.post_status(url).await, 400);
}

#[tokio::test]
async fn a_sale_without_redirect_data_stays_in_processing() {
    let mut stage = Stage::new().await;
    stage.set(json!({"no_redirect": true})).await;
    stage.sell().await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(stage.record("order-1").await["status"], "processing");
    stage.has_no_callback();
}
