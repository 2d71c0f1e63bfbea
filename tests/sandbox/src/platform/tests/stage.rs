//! Starts a platform with a fast clock, and a merchant that receives its callbacks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use ecommpay::ProjectKey;
use ecommpay::json::{self, Limits};
use ecommpay::signature;
use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::platform::{Platform, Settings};

pub const KEY: &str = "test-secret-key";

/// Paths of Gate without the prefix `/v2/payment/`.
pub const SALE: &str = "bancontact/sale";
pub const REFUND: &str = "bancontact/refund";

/// A platform and its merchant. A method without a payment id is about `order-1`.
pub struct Stage {
    pub platform: Platform,
    pub client: Client,
    pub callbacks: UnboundedReceiver<Bytes>,
}

impl Stage {
    /// The clock is 100 times faster than real time.
    pub async fn new() -> Stage {
        Stage::with(0, 100.0).await
    }

    /// The clock is `clock_speed` times faster than real time.
    pub async fn with_clock(clock_speed: f64) -> Stage {
        Stage::with(0, clock_speed).await
    }

    /// The merchant answers the first `failures` callbacks with 500.
    pub async fn with_failures(failures: u32) -> Stage {
        Stage::with(failures, 100.0).await
    }

    async fn with(failures: u32, clock_speed: f64) -> Stage {
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

    /// Returns the next callback, and checks its signature.
    pub async fn callback(&mut self) -> Value {
        let body = self.body().await;
        assert!(is_signed(&body), "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    pub async fn body(&mut self) -> Bytes {
        let limit = Duration::from_secs(10);
        let next = tokio::time::timeout(limit, self.callbacks.recv()).await;
        next.unwrap().unwrap()
    }

    pub fn has_no_callback(&mut self) {
        assert!(self.callbacks.try_recv().is_err());
    }

    /// Returns the HTTP status and the HTML.
    pub async fn open(&self, url: &str) -> (u16, String) {
        let answer = self.client.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Posts a form, and returns the URL of the redirect.
    pub async fn post(&self, url: &str, form: &[(&str, &str)]) -> String {
        let answer = self.client.post(url).form(form).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Posts a small form, and returns the HTTP status.
    pub async fn post_status(&self, url: &str) -> u16 {
        let answer = self.client.post(url).form(&[("a", "b")]).send().await;
        answer.unwrap().status().as_u16()
    }

    pub async fn send(&self, path: &str, body: String) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.platform.address());
        self.client.post(url).body(body).send().await
    }

    /// Sends a signed request to Gate.
    pub async fn gate(&self, path: &str, message: Value) -> (u16, Value) {
        let path = format!("/v2/payment/{path}");
        let answer = self.send(&path, signed(message, KEY)).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Sends a signed request to Gate. Returns the code of a refusal, or `accepted`.
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

    pub async fn accept(&self, path: &str, message: Value) {
        assert_eq!(self.code(path, message).await, "accepted");
    }

    /// Sends a sale request for `order-1`.
    pub async fn sell(&self) {
        self.accept(SALE, sale("order-1")).await;
    }

    /// Sends a status request.
    pub async fn status_answer(&self, payment_id: &str) -> (u16, Bytes) {
        let body = signed(about(payment_id), KEY);
        let answer = self.send("/v2/payment/status", body).await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    }

    /// Sends a status request, and checks the signature of the answer.
    pub async fn status(&self, payment_id: &str) -> Value {
        let (status, answer) = self.status_answer(payment_id).await;
        assert_eq!(status, 200);
        assert!(is_signed(&answer), "{}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }

    pub async fn put(&self, path: &str, faults: Value) -> u16 {
        let url = format!("{}/simulator/{path}", self.platform.address());
        let answer = self.client.put(url).body(faults.to_string()).send().await;
        answer.unwrap().status().as_u16()
    }

    pub async fn set(&self, faults: Value) {
        assert_eq!(self.put("payments/order-1/faults", faults).await, 200);
    }

    pub async fn set_defaults(&self, faults: Value) {
        assert_eq!(self.put("faults", faults).await, 200);
    }

    pub async fn record(&self, payment_id: &str) -> Value {
        let address = self.platform.address();
        let url = format!("{address}/simulator/payments/{payment_id}");
        let answer = self.client.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Waits until a payment's record meets a condition.
    pub async fn until(&self, payment_id: &str, condition: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let record = self.record(payment_id).await;
            if condition(&record) {
                return record;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the platform record did not meet the condition in 500 attempts");
    }

    pub async fn control(&self, path: &str, body: Value) -> (u16, Value) {
        let path = format!("/simulator/{path}");
        let answer = self.send(&path, body.to_string()).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Makes a control call about `order-1`, which must succeed.
    pub async fn act(&self, path: &str, body: Value) -> Value {
        let path = format!("payments/order-1/{path}");
        let (status, answer) = self.control(&path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Pays on the bank's page, and returns the URL of the redirect.
    pub async fn pay(&self, page: &str) -> String {
        self.post(&format!("{page}/pay"), &[]).await
    }

    /// `redirect` is the redirect callback.
    pub async fn pay_at(&self, redirect: &Value) -> String {
        self.pay(redirect["redirect_data"]["url"].as_str().unwrap())
            .await
    }

    /// Sends a sale request and pays at the bank. Returns the callback about the payment.
    pub async fn paid(&mut self, payment_id: &str) -> Value {
        self.accept(SALE, sale(payment_id)).await;
        let redirect = self.callback().await;
        assert_eq!(self.pay_at(&redirect).await, "https://shop.example/success");
        self.callback().await
    }

    /// Like [`Stage::paid`] for `order-1`, with these switches.
    pub async fn paid_with(&mut self, faults: Value) -> Value {
        self.set(faults).await;
        self.sell().await;
        let redirect = self.callback().await;
        self.pay_at(&redirect).await;
        self.callback().await
    }
}

async fn receiver(failures: u32) -> (String, UnboundedReceiver<Bytes>) {
    let (sender, callbacks) = unbounded_channel();
    let left = Arc::new(AtomicU32::new(failures));
    let answer = move |body: Bytes| async move {
        let _ = sender.send(body);
        let fails = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match fails {
            Ok(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Err(_) => StatusCode::OK,
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

/// Whether the project's key signed a body.
pub fn is_signed(body: &[u8]) -> bool {
    let message = json::parse(body, Limits::ANSWER).unwrap();
    let signature = signature::of_message(&message).unwrap();
    let key = ProjectKey::new(KEY).unwrap();
    key.verifies(&signature::canonical(&message), &signature)
}

/// Returns the payment status, the operation type, the operation status and `payment.sum`.
pub fn brief(callback: &Value) -> (&str, &str, &str, u64) {
    let (payment, operation) = (&callback["payment"], &callback["operation"]);
    (
        payment["status"].as_str().unwrap(),
        operation["type"].as_str().unwrap(),
        operation["status"].as_str().unwrap(),
        payment["sum"]["amount"].as_u64().unwrap(),
    )
}

/// Returns the type and the status of each operation in a status answer or record.
pub fn operations(of: &Value) -> Vec<(&str, &str)> {
    let operations = of["operations"].as_array().unwrap().iter();
    operations
        .map(|operation| {
            let kind = operation["type"].as_str().unwrap();
            (kind, operation["status"].as_str().unwrap())
        })
        .collect()
}

/// Returns a request with nothing but the ids.
pub fn about(payment_id: &str) -> Value {
    json!({"general": {"project_id": 211, "payment_id": payment_id}})
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

/// The request is about `order-1`.
pub fn clarification(data: Value) -> Value {
    let mut message = about("order-1");
    message["additional_data"] = data;
    message
}
