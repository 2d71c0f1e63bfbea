//! The platform over HTTP, as a merchant and a shopper meet it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod confirmation;
mod data_api;
mod links;
mod other_money;
mod payment_page;
mod refunds;
mod rules;
mod size;
mod stage;
mod start_page;
mod status_answers;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::*;
use stage::{KEY, Stage, is_signed, refund, sale, signed};

#[tokio::test]
async fn a_payment_is_made_and_given_back() {
    let mut stage = Stage::new(0).await;
    let (status, accepted) = stage.gate("bancontact/sale", sale("order-1")).await;
    assert_eq!((status, &accepted["payment_id"]), (200, &json!("order-1")));
    let redirect = stage.callback().await;
    assert_eq!(redirect["payment"]["status"], "awaiting redirect result");
    assert_eq!(redirect["operation"]["request_id"], accepted["request_id"]);
    assert_eq!(redirect["redirect_data"]["method"], "GET");
    assert_eq!(redirect["redirect_data"]["body"], json!([]));

    let page = redirect["redirect_data"]["url"].as_str().unwrap();
    let html = stage.client.get(page).send().await.unwrap().text().await;
    let html = html.unwrap();
    for part in ["id=\"qr\"", "id=\"pay\"", "id=\"walk-away\"", "10.00 EUR"] {
        assert!(html.contains(part), "{part}");
    }
    let pay = format!("{page}/pay");
    let back = stage.client.post(&pay).send().await.unwrap();
    assert_eq!(back.headers()["location"], "https://shop.example/success");
    let again = stage.client.post(&pay).send().await.unwrap();
    assert_eq!(again.status(), 409);
    let success = stage.callback().await;
    assert_eq!(success["payment"]["status"], "success");
    assert_eq!(success["payment"]["sum"]["amount"], 1000);

    let wanted = refund("ORDER-1", 400, "r-1");
    assert_eq!(stage.code("bancontact/refund", wanted).await, "accepted");
    let refunded = stage.callback().await;
    assert_eq!(refunded["payment"]["status"], "partially refunded");
    assert_eq!(refunded["payment"]["sum"]["amount"], 600);
    assert_eq!(refunded["payment"]["merchant_refund_id"], "r-1");
    assert_eq!(refunded["operation"]["sum_initial"]["amount"], 400);

    let question = json!({"general": {"project_id": 211, "payment_id": "order-1"}});
    let body = signed(question, KEY);
    let answer = stage.send("/v2/payment/status", body).await.unwrap();
    let answer = answer.bytes().await.unwrap();
    assert!(is_signed(&answer));
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["operations"].as_array().unwrap().len(), 2);
    stage.platform.stop().await;
}

#[tokio::test]
async fn the_shopper_can_decline_or_walk_away() {
    let mut stage = Stage::new(0).await;
    let mut message = sale("order-1");
    message["payment"]["amount"] = json!(50_000);
    message["return_url"]["return"] = json!("https://shop.example/é");
    stage.code("bancontact/sale", message).await;
    let redirect = stage.callback().await;
    let page = redirect["redirect_data"]["url"].as_str().unwrap();
    let html = stage.client.get(page).send().await.unwrap();
    assert!(!html.text().await.unwrap().contains("id=\"qr\""));
    for choice in ["walk-away", "decline"] {
        let url = format!("{page}/{choice}");
        let back = stage.client.post(url).send().await.unwrap();
        assert_eq!(back.status(), 303);
        assert_eq!(back.headers()["location"], "https://shop.example/%C3%A9");
    }
    let declined = stage.callback().await;
    assert_eq!(declined["payment"]["status"], "decline");
    assert_eq!(declined["operation"]["code"], "20301");
    let url = format!("{page}/pay");
    let late = stage.client.post(url).send().await.unwrap();
    assert_eq!(late.status(), 409);
}

#[tokio::test]
async fn callbacks_are_repeated_until_they_are_taken() {
    let mut stage = Stage::new(2).await;
    stage.code("bancontact/sale", sale("order-1")).await;
    let first = stage.body().await;
    assert_eq!(stage.body().await, first);
    assert_eq!(stage.body().await, first);
    assert!(String::from_utf8_lossy(&first).contains(r"Order\/1 \u00e9"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(stage.callbacks.try_recv().is_err());
    let letter = &stage.record("order-1").await["callbacks"][0];
    assert_eq!(letter["attempts"], 3);
    assert_eq!(letter["last_answer"], "200");
}

#[tokio::test]
async fn wrong_requests_are_refused_like_gate_does() {
    let stage = Stage::new(0).await;
    let sale_path = "/v2/payment/bancontact/sale";
    let code = async |body: String| {
        let answer = stage.send(sale_path, body).await.unwrap();
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
        assert_eq!(
            code(signed(message, KEY)).await,
            refused(expected),
            "{path}"
        );
    }
    assert_eq!(stage.code("bancontact/sale", sale("p")).await, "accepted");
    assert_eq!(stage.code("bancontact/sale", sale("P")).await, "3041");
    assert_eq!(stage.record("p").await["requests"]["sale"], 9);
}

#[tokio::test]
async fn wrong_refunds_are_refused_at_once_or_declined_later() {
    let mut stage = Stage::new(0).await;
    let path = "bancontact/refund";
    assert_eq!(stage.code(path, refund("order-1", 1, "r-0")).await, "3061");
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
        assert_eq!(stage.code(path, message).await, expected, "{name}");
    }
    let too_much = refund("order-1", 1001, "r-1");
    assert_eq!(stage.code(path, too_much.clone()).await, "accepted");
    let declined = stage.callback().await;
    assert_eq!(declined["operation"]["status"], "decline");
    assert_eq!(declined["operation"]["code"], "3283");
    assert_eq!(declined["payment"]["status"], "success");
    assert_eq!(stage.code(path, too_much).await, "3230");

    let dashboard = "/simulator/payments/order-1/refunds";
    let taken = stage.send(dashboard, "{}".into()).await.unwrap();
    assert_eq!(taken.status(), 202);
    let refunded = stage.callback().await;
    assert_eq!(refunded["payment"]["status"], "refunded");
    assert_eq!(refunded["payment"].get("merchant_refund_id"), None);
    assert_eq!(stage.code(path, refund("order-1", 1, "r-2")).await, "3060");
}

#[tokio::test]
async fn a_missing_last_name_is_asked_for() {
    let mut stage = Stage::new(0).await;
    let mut message = sale("order-1");
    message["customer"]
        .as_object_mut()
        .unwrap()
        .remove("last_name");
    stage.code("bancontact/sale", message).await;
    let asked = stage.callback().await;
    assert_eq!(asked["operation"]["code"], "3191");
    assert_eq!(
        asked["clarification_fields"],
        json!({"customer": ["last_name"]})
    );
    let data = json!({
        "general": {"project_id": 211, "payment_id": "order-1"},
        "additional_data": {"customer": {"last_name": "Maes"}},
    });
    assert_eq!(stage.code("clarification", data).await, "accepted");
    let redirect = stage.callback().await;
    assert_eq!(redirect["customer"]["last_name"], "Maes");
    assert!(redirect["redirect_data"]["url"].is_string());
}

#[tokio::test]
async fn a_posted_form_leads_to_a_second_origin() {
    let mut stage = Stage::new(0).await;
    let faults = json!({"redirect_method": "POST"});
    assert_eq!(stage.put("faults", faults).await, 200);
    stage.code("bancontact/sale", sale("order-1")).await;
    let data = stage.callback().await["redirect_data"].take();
    assert_eq!(data["method"], "POST");
    let url = data["url"].as_str().unwrap();
    let entered = stage.client.post(url).form(&data["body"]).send().await;
    let entered = entered.unwrap();
    assert_eq!(entered.status(), 303);
    let next = entered.headers()["location"].to_str().unwrap();
    assert!(next.starts_with("http://localhost:"), "{next}");
    let page = stage.client.get(next).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let wrong = stage.client.post(url).form(&[("note", "?")]).send().await;
    assert_eq!(wrong.unwrap().status(), 400);
}

#[tokio::test]
async fn answers_go_wrong_as_switched() {
    let mut stage = Stage::new(0).await;
    let path = "/v2/payment/bancontact/sale";
    let faults = "payments/order-1/faults";
    let body = signed(sale("order-1"), KEY);
    let lost = json!({"answer": "lost", "answer_times": 1});
    assert_eq!(stage.put(faults, lost).await, 200);
    assert!(stage.send(path, body.clone()).await.is_err());
    assert_eq!(stage.record("order-1").await["status"], Value::Null);
    stage.put(faults, json!({"answer": "error_500"})).await;
    let answer = stage.send(path, body.clone()).await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(stage.record("order-1").await["status"], Value::Null);
    stage.put(faults, json!({"answer": "cut"})).await;
    assert!(stage.send(path, body.clone()).await.is_err());
    stage.put(faults, json!({"answer": "not_json"})).await;
    let answer = stage.send(path, body).await.unwrap();
    assert!(answer.text().await.unwrap().starts_with("<html>"));
    let redirect = stage.callback().await;
    assert_eq!(redirect["payment"]["status"], "awaiting redirect result");
    assert_eq!(stage.record("order-1").await["requests"]["sale"], 4);
    assert_eq!(stage.put(faults, json!({"explode": true})).await, 400);
}

#[tokio::test]
async fn answers_and_callbacks_take_their_time_as_switched() {
    let mut stage = Stage::new(0).await;
    let faults = json!({"answer": "slow", "slow_ms": 300, "delay_ms": 600});
    stage.put("faults", faults).await;
    let begin = Instant::now();
    assert_eq!(
        stage.code("bancontact/sale", sale("order-1")).await,
        "accepted"
    );
    assert!(begin.elapsed() >= Duration::from_millis(300));
    stage.callback().await;
    assert!(begin.elapsed() >= Duration::from_millis(600));
}

#[tokio::test]
async fn requests_are_refused_as_switched() {
    let mut stage = Stage::new(0).await;
    for (answer, code) in [("error_400", "502"), ("error_3041", "3041")] {
        let once = json!({"answer": answer, "answer_times": 1});
        stage.put("payments/order-1/faults", once).await;
        assert_eq!(stage.code("bancontact/sale", sale("order-1")).await, code);
    }
    let spoilt = json!({"answer": "error_500", "answer_to": ["status"], "answer_times": 1});
    stage.put("payments/order-1/faults", spoilt).await;
    let question = || json!({"general": {"project_id": 211, "payment_id": "order-1"}});
    assert_eq!(
        stage.code("bancontact/sale", sale("order-1")).await,
        "accepted"
    );
    stage.callback().await;
    for expected in [500, 200] {
        let body = signed(question(), KEY);
        let answer = stage.send("/v2/payment/status", body).await.unwrap();
        assert_eq!(answer.status(), expected);
    }
}

#[tokio::test]
async fn callbacks_wait_as_switched() {
    let mut stage = Stage::new(0).await;
    stage
        .put("payments/order-1/faults", json!({"hold": true}))
        .await;
    stage.code("bancontact/sale", sale("order-1")).await;
    let is_held = |record: &Value| record["callbacks"][0]["attempts"] == 0;
    stage.until("order-1", is_held).await;
    assert!(stage.callbacks.try_recv().is_err());
    stage.put("payments/order-1/faults", json!({})).await;
    let redirect = stage.callback().await;
    assert_eq!(redirect["payment"]["status"], "awaiting redirect result");
}

#[tokio::test]
async fn no_redirect_data_is_sent_as_switched() {
    let mut stage = Stage::new(0).await;
    stage.put("faults", json!({"no_redirect": true})).await;
    stage.code("bancontact/sale", sale("order-1")).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(stage.record("order-1").await["status"], "processing");
    assert!(stage.callbacks.try_recv().is_err());
}

#[tokio::test]
async fn callbacks_go_wrong_as_switched() {
    let mut stage = Stage::new(0).await;
    stage
        .put("faults", json!({"duplicate": 2, "tamper": true}))
        .await;
    stage.code("bancontact/sale", sale("order-1")).await;
    for _ in 0..3 {
        assert!(!is_signed(&stage.body().await));
    }

    stage.put("faults", json!({"drop": true})).await;
    stage.code("bancontact/sale", sale("order-2")).await;
    let dropped = |record: &Value| record["callbacks"][0]["last_answer"] == "dropped";
    let record = stage.until("order-2", dropped).await;
    assert!(stage.callbacks.try_recv().is_err());
    stage
        .put("payments/order-2/faults", json!({"wrong_amount": true}))
        .await;
    let late = stage.callback().await;
    assert_eq!(late["payment"]["status"], "awaiting redirect result");
    let page = record["bank_page"].as_str().unwrap();
    stage.pay(page).await;
    let paid = stage.callback().await;
    assert_eq!(paid["payment"]["sum"]["amount"], 999);
    assert_eq!(paid["operation"]["sum_initial"]["amount"], 1000);

    stage.put("faults", json!({"sale_error": true})).await;
    stage.code("bancontact/sale", sale("order-3")).await;
    let failed = stage.callback().await;
    assert_eq!(failed["payment"]["status"], "error");
    assert_eq!(failed["errors"][0]["code"], "502");
    stage
        .put("payments/order-3/faults", json!({"reorder": true}))
        .await;
    assert_eq!(
        stage.code("bancontact/sale", sale("order-3")).await,
        "accepted"
    );
}

#[tokio::test]
async fn a_callback_can_be_overtaken() {
    let mut stage = Stage::new(0).await;
    stage.put("faults", json!({"reorder": true})).await;
    stage.code("bancontact/sale", sale("order-1")).await;
    let waiting = |record: &Value| record["callbacks"][0].is_object();
    let record = stage.until("order-1", waiting).await;
    let page = record["bank_page"].as_str().unwrap();
    stage.pay(page).await;
    assert_eq!(stage.callback().await["payment"]["status"], "success");
    let late = stage.callback().await;
    assert_eq!(late["payment"]["status"], "awaiting redirect result");
}

#[tokio::test]
async fn a_dropped_platform_gives_its_port_back() {
    let stage = Stage::new(0).await;
    let port = stage.platform.shared.port;
    drop(stage);
    for _ in 0..100 {
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the port is still taken");
}
