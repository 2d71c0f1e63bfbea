//! What the functions are given to do, as events of the gateway (payload format 2.0).

use anyhow::{Context, ensure};
use ecommpay::json::{self, Limits};
use ecommpay::{ProjectKey, signature};
use serde_json::{Value, json};

use crate::stubs::{REQUEST_ID, Stubs};
use crate::world::{KEY, PROJECT};

/// The shop's key.
pub const SHOP: &str = "sk_bench_3QqYcW1nFzq0cUNs5tYV0y7QJrj4aZb9dXk2mLhG8Ts";
/// The payment of `data/*.json`; each event has one of its own instead.
pub const PLACEHOLDER: &str = "bench-0000000000";

const WAITING: &str = include_str!("../data/waiting.json");
const PAID: &str = include_str!("../data/paid.json");
const STOREFRONT: &str = include_str!("../data/storefront.json");

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// A payment has succeeded.
    NewCallback,
    /// The same is said again.
    DuplicateCallback,
    /// Somebody else says it.
    ForgedCallback,
    /// A shop begins a payment.
    Checkout,
    /// A shop gives a part of the money back.
    Refund,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::NewCallback,
        Self::DuplicateCallback,
        Self::ForgedCallback,
        Self::Checkout,
        Self::Refund,
    ];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewCallback => "callback, new",
            Self::DuplicateCallback => "callback, duplicate",
            Self::ForgedCallback => "callback, bad signature",
            Self::Checkout => "checkout",
            Self::Refund => "refund",
        }
    }

    /// The function that it is for.
    pub fn function(self) -> &'static str {
        match self {
            Self::NewCallback | Self::DuplicateCallback | Self::ForgedCallback => "callback",
            Self::Checkout => "checkout",
            Self::Refund => "refund",
        }
    }

    /// What must be answered.
    pub fn status(self) -> u64 {
        match self {
            Self::NewCallback | Self::DuplicateCallback => 200,
            Self::ForgedCallback => 401,
            Self::Checkout => 201,
            Self::Refund => 202,
        }
    }

    /// Stores what there is before the event of that number, and gives the event.
    ///
    /// # Errors
    ///
    /// When what is kept in `data` is broken.
    pub fn stage(self, number: u64, stubs: &Stubs) -> anyhow::Result<String> {
        let payment_id = format!("bench-{number:010}");
        let put = |item: &str| {
            let item = item.replace(PLACEHOLDER, &payment_id);
            stubs.put(serde_json::from_str(&item)?)
        };
        let event = match self {
            Self::NewCallback => {
                put(WAITING)?;
                event("POST /callbacks", None, &callback(&payment_id)?)
            }
            Self::DuplicateCallback => {
                // Always of one payment: what was heard of it is kept as a hash.
                stubs.put(serde_json::from_str(PAID)?)?;
                event("POST /callbacks", None, &callback(PLACEHOLDER)?)
            }
            Self::ForgedCallback => {
                let body = callback(&payment_id)?;
                let forged = body.replacen("\"amount\":1000", "\"amount\":9000", 1);
                ensure!(forged != body, "Nothing was forged");
                event("POST /callbacks", None, &forged)
            }
            Self::Checkout => {
                put(STOREFRONT)?;
                event("POST /checkouts", None, &order(&payment_id).to_string())
            }
            Self::Refund => {
                put(STOREFRONT)?;
                put(PAID)?;
                let route = "POST /payments/{payment_id}/refunds";
                event(route, Some(&payment_id), &refund(&payment_id).to_string())
            }
        };
        Ok(event.to_string())
    }

    /// Whether the answer is the one that must come.
    ///
    /// # Errors
    ///
    /// When it is not; with the answer.
    pub fn check(self, reply: &[u8]) -> anyhow::Result<()> {
        let answer: Value = serde_json::from_slice(reply).context("The answer is not JSON")?;
        let status = answer.get("statusCode").and_then(Value::as_u64);
        let (name, wanted) = (self.name(), self.status());
        ensure!(
            status == Some(wanted),
            "{name}: not {wanted} but {}",
            String::from_utf8_lossy(reply)
        );
        Ok(())
    }
}

/// A shop's order.
pub fn order(payment_id: &str) -> Value {
    json!({
        "payment_id": payment_id,
        "order_id": format!("order-of-{payment_id}"),
        "amount": 1000,
        "currency": "EUR",
        "customer": {
            "id": "c-42", "ip_address": "192.0.2.10", "last_name": "Janssens", "first_name": "Lotte",
            "email": "lotte.janssens@shop.example",
        },
        "return_url": "https://shop.example/thanks",
        "language": "nl",
        "description": "Order 1001, 2 items",
    })
}

fn refund(payment_id: &str) -> Value {
    json!({
        "refund_id": format!("back-{payment_id}"),
        "amount": 400,
        "currency": "EUR",
        "description": "One of 2 items came back",
    })
}

/// The platform's signed report that a payment has succeeded.
///
/// # Errors
///
/// When it cannot be signed.
pub fn callback(payment_id: &str) -> anyhow::Result<String> {
    sign(json!({
        "project_id": PROJECT,
        "payment": {
            "id": payment_id,
            "type": "purchase",
            "status": "success",
            "date": "2026-07-02T09:28:29+0000",
            "method": "bancontact",
            "sum": { "amount": 1000, "currency": "EUR" },
            "description": "Order 1001, 2 items",
        },
        "account": { "number": "BE**********1000", "type": "bancontact", "holder": "LOTTE JANSSENS" },
        "customer": {
            "id": "c-42",
            "first_name": "Lotte",
            "last_name": "Janssens",
            "email": "lotte.janssens@shop.example",
            "phone": "3225550123",
            "ip_address": "192.0.2.10",
            "billing": { "country": "BE", "city": "Gent", "address": "Korenmarkt 16", "postal": "9000" },
            "shipping": { "country": "BE", "city": "Gent", "address": "Korenmarkt 16", "postal": "9000" },
            "district": "Binnenstad",
        },
        "operation": {
            "id": 37_493_000_003_351_u64,
            "type": "sale",
            "status": "success",
            "date": "2026-07-02T09:28:29+0000",
            "created_date": "2026-07-02T09:28:24+0000",
            "request_id": REQUEST_ID,
            "sum_initial": { "amount": 1000, "currency": "EUR" },
            "sum_converted": { "amount": 1000, "currency": "EUR" },
            "provider": {
                "id": 1241,
                "payment_id": "GG-7e08d48c4f5da3692b65e5426f44ed36",
                "auth_code": "A10932",
                "date": "2026-07-02T09:28:28+0000",
                "endpoint_id": 1241,
                "terminal": "T-20260702-0001",
            },
            "sum_provider": { "amount": 1000, "currency": "EUR" },
            "code": "0",
            "message": "Success",
            "eci": "05",
        },
        "descriptor": "SHOP EXAMPLE",
        "acquirer": { "name": "example acquirer", "arn": "74537604221222132710572" },
        "recurring": { "register": false, "valid_thru": null },
    }))
}

/// A message with its signature.
///
/// # Errors
///
/// When it cannot be signed.
pub fn sign(mut message: Value) -> anyhow::Result<String> {
    let text = message.to_string();
    let parsed = json::parse(text.as_bytes(), Limits::CALLBACK);
    let canonical = signature::canonical(&parsed.ok().context("Not to be signed")?);
    let signature = ProjectKey::new(KEY)?.sign(&canonical).to_base64();
    let members = message.as_object_mut().context("Not an object")?;
    members.insert("signature".into(), signature.into());
    Ok(message.to_string())
}

/// The gateway's event for a route, payload format 2.0.
pub fn event(route: &str, payment_id: Option<&str>, body: &str) -> Value {
    let (method, path) = route.split_once(' ').unwrap_or_default();
    let path = path.replace("{payment_id}", payment_id.unwrap_or_default());
    let parameters = payment_id.map(|payment_id| json!({ "payment_id": payment_id }));
    let mut headers = json!({
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "content-length": body.len().to_string(),
        "content-type": "application/json",
        "host": "pay.shop.example",
        "user-agent": "GuzzleHttp/7",
        "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    });
    if !route.contains("/callbacks")
        && let Some(headers) = headers.as_object_mut()
    {
        headers.insert("authorization".into(), format!("Bearer {SHOP}").into());
    }
    json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "pathParameters": parameters,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "r3pmxmplak",
            "domainName": "pay.shop.example",
            "domainPrefix": "pay",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "GuzzleHttp/7",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route,
            "stage": "$default",
            "time": "02/Jul/2026:09:28:30 +0000",
            "timeEpoch": 1_782_984_510_123_u64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_as_long_as_those_of_the_platform() {
        let body = callback(PLACEHOLDER).unwrap();
        assert!((1_400..=1_600).contains(&body.len()), "{}", body.len());
    }

    #[test]
    fn an_answer_with_another_status_is_none() {
        let scenario = Scenario::Checkout;
        assert!(scenario.check(br#"{"statusCode":201}"#).is_ok());
        let error = scenario
            .check(br#"{"statusCode":503,"body":"no"}"#)
            .unwrap_err();
        assert!(error.to_string().contains("503"), "{error}");
        assert!(scenario.check(b"").is_err());
    }
}
