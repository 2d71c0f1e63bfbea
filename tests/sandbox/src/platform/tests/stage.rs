//! A platform whose clock runs fast, and a merchant who listens.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use ecommpay::json::{self, Limits};
use ecommpay::signature;
use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::platform::*;

pub const KEY: &str = "test-secret-key";

/// A platform whose clock runs a hundred times too fast, with a merchant who listens.
pub struct Stage {
    pub platform: Platform,
    pub client: Client,
    pub callbacks: UnboundedReceiver<Bytes>,
}

impl Stage {
    /// The merchant answers the first `failures` callbacks with 500.
    pub async fn new(failures: u32) -> Stage {
        Stage::with_clock(failures, 100.0).await
    }

    /// The same with another clock.
    pub async fn with_clock(failures: u32, clock_speed: f64) -> Stage {
        let settings = Settings {
            project_id: 211,
            key: KEY.into(),
            clock_speed,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let platform = Platform::start(listener, settings).await.unwrap();
        let (url, callbacks) = receiver(failures).await;
        platform.set_callback_url(&url);
        let client = Client::builder().redirect(Policy::none()).no_proxy();
        let client = client.build().unwrap();
        Stage {
            platform,
            client,
            callbacks,
        }
    }

    /// The next callback, verified.
    pub async fn callback(&mut self) -> Value {
        let body = self.body().await;
        assert!(is_signed(&body), "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    pub async fn body(&mut self) -> Bytes {
        let wait = Duration::from_secs(10);
        let next = tokio::time::timeout(wait, self.callbacks.recv()).await;
        next.unwrap().unwrap()
    }

    pub async fn send(&self, path: &str, body: String) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.platform.address());
        self.client.post(url).body(body).send().await
    }

    pub async fn gate(&self, path: &str, message: Value) -> (u16, Value) {
        let path = format!("/v2/payment/{path}");
        let answer = self.send(&path, signed(message, KEY)).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The code of an answer; `accepted` for a 200.
    pub async fn code(&self, path: &str, message: Value) -> String {
        match self.gate(path, message).await {
            (200, body) => {
                assert_eq!(body["status"], "success");
                "accepted".into()
            }
            (400, body) => body["code"].as_str().unwrap().into(),
            (status, body) => panic!("{status} {body}"),
        }
    }

    pub async fn put(&self, path: &str, body: Value) -> u16 {
        let url = format!("{}/simulator/{path}", self.platform.address());
        let answer = self.client.put(url).body(body.to_string()).send().await;
        answer.unwrap().status().as_u16()
    }

    pub async fn record(&self, payment_id: &str) -> Value {
        let address = self.platform.address();
        let url = format!("{address}/simulator/payments/{payment_id}");
        self.client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// The record of a payment once it is as wanted.
    pub async fn until(&self, payment_id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let record = self.record(payment_id).await;
            if wanted(&record) {
                return record;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the record never reached the wanted state");
    }

    /// A control call; gives the status and the answer.
    pub async fn control(&self, path: &str, body: Value) -> (u16, Value) {
        let path = format!("/simulator/{path}");
        let answer = self.send(&path, body.to_string()).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// A control call about `order-1` that is carried out at once.
    pub async fn act(&self, path: &str, body: Value) -> Value {
        let path = format!("payments/order-1/{path}");
        let (status, answer) = self.control(&path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Sells `order-1` with these switches and lets the shopper pay; gives the callback of the sale.
    pub async fn paid_with(&mut self, faults: Value) -> Value {
        let path = "payments/order-1/faults";
        assert_eq!(self.put(path, faults).await, 200);
        let sold = self.code("bancontact/sale", sale("order-1")).await;
        assert_eq!(sold, "accepted");
        let redirect = self.callback().await;
        let page = redirect["redirect_data"]["url"].as_str().unwrap();
        self.pay(page).await;
        self.callback().await
    }

    /// The shopper pays on a page of the bank; gives the address that the browser is sent to.
    pub async fn pay(&self, page: &str) -> String {
        let pay = format!("{page}/pay");
        let back = self.client.post(pay).send().await.unwrap();
        assert_eq!(back.status(), 303);
        back.headers()["location"].to_str().unwrap().to_owned()
    }

    /// The verified answer to a status request.
    pub async fn status(&self, payment_id: &str) -> Value {
        let question = json!({"general": {"project_id": 211, "payment_id": payment_id}});
        let body = signed(question, KEY);
        let answer = self.send("/v2/payment/status", body).await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer = answer.bytes().await.unwrap();
        assert!(is_signed(&answer), "{}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }

    /// A payment that is paid, with its callbacks out of the way.
    pub async fn paid(&mut self, payment_id: &str) {
        assert_eq!(
            self.code("bancontact/sale", sale(payment_id)).await,
            "accepted"
        );
        let redirect = self.callback().await;
        let page = redirect["redirect_data"]["url"].as_str().unwrap();
        assert_eq!(self.pay(page).await, "https://shop.example/success");
        assert_eq!(self.callback().await["payment"]["status"], "success");
    }
}

async fn receiver(failures: u32) -> (String, UnboundedReceiver<Bytes>) {
    let (sender, callbacks) = unbounded_channel();
    let left = Arc::new(AtomicU32::new(failures));
    let answer = move |body: Bytes| async move {
        let _ = sender.send(body);
        let fails = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if fails.is_ok() {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            StatusCode::OK
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/callbacks", listener.local_addr().unwrap());
    let app = Router::new().route("/callbacks", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, callbacks)
}

pub fn signed(mut message: Value, key: &str) -> String {
    let canonical = signature::canonical_of(&message).unwrap();
    let signature = ProjectKey::new(key).unwrap().sign(&canonical);
    message["general"]["signature"] = signature.to_base64().into();
    message.to_string()
}

pub fn is_signed(body: &[u8]) -> bool {
    let message = json::parse(body, Limits::ANSWER).unwrap();
    let signature = signature::of_message(&message).unwrap();
    let key = ProjectKey::new(KEY).unwrap();
    key.verifies(&signature::canonical(&message), &signature)
}

/// Payment status, operation type, operation status and `payment.sum` of a callback.
pub fn brief(callback: &Value) -> (String, String, String, u64) {
    let text = |path: &str| callback.pointer(path).unwrap().as_str().unwrap().to_owned();
    (
        text("/payment/status"),
        text("/operation/type"),
        text("/operation/status"),
        callback["payment"]["sum"]["amount"].as_u64().unwrap(),
    )
}

/// What [`brief`] gives.
pub fn expected(
    payment: &str,
    kind: &str,
    operation: &str,
    sum: u64,
) -> (String, String, String, u64) {
    (payment.into(), kind.into(), operation.into(), sum)
}

/// The type and status of each operation of a status answer or a record.
pub fn operations(of: &Value) -> Vec<(&str, &str)> {
    let operations = of["operations"].as_array().unwrap().iter();
    operations
        .map(|one| {
            (
                one["type"].as_str().unwrap(),
                one["status"].as_str().unwrap(),
            )
        })
        .collect()
}

pub fn sale(payment_id: &str) -> Value {
    json!({
        "general": {"project_id": 211, "payment_id": payment_id},
        "payment": {"amount": 1000, "currency": "EUR", "description": "Order/1 é"},
        "customer": {"id": "123", "ip_address": "192.0.2.1", "last_name": "Peeters"},
        "return_url": {"return": "https://shop.example/return",
            "success": "https://shop.example/success"},
    })
}

pub fn refund(payment_id: &str, amount: u64, merchant_refund_id: &str) -> Value {
    json!({
        "general": {"project_id": 211, "payment_id": payment_id},
        "payment": {"amount": amount, "currency": "EUR", "description": "returned",
            "merchant_refund_id": merchant_refund_id},
        "customer": {"ip_address": "192.0.2.1"},
    })
}
