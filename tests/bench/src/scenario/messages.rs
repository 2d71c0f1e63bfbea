//! Makes orders, refunds and callbacks, and API Gateway's events with them.

use anyhow::Context;
use ecommpay::json::{self, Limits};
use ecommpay::{ProjectKey, signature};
use serde_json::{Value, json};

use super::STOREFRONT_KEY;
use crate::settings::{KEY, PROJECT};
use crate::stubs::gate::REQUEST_ID;

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

/// Returns the body of a request that refunds a part of the payment.
pub fn refund(payment_id: &str) -> Value {
    json!({
        "refund_id": format!("back-{payment_id}"),
        "amount": 400,
        "currency": "EUR",
        "description": "One of 2 items returned",
    })
}

/// Returns a signed callback that reports a success.
pub fn callback(payment_id: &str) -> anyhow::Result<String> {
    sign(report(payment_id))
}

/// Returns the callback of a success without its signature.
pub fn report(payment_id: &str) -> Value {
    json!({
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
    })
}

/// Adds the signature to a message.
pub fn sign(mut message: Value) -> anyhow::Result<String> {
    let text = message.to_string();
    let parsed = json::parse(text.as_bytes(), Limits::CALLBACK);
    let canonical = signature::canonical(&parsed.ok().context("the message cannot be signed")?);
    let signature = ProjectKey::new(KEY)?.sign(&canonical).to_base64();
    let members = message
        .as_object_mut()
        .context("the message is not an object")?;
    members.insert("signature".into(), signature.into());
    Ok(message.to_string())
}

/// Returns an event as API Gateway sends it, in payload format 2.0.
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
        headers.insert(
            "authorization".into(),
            format!("Bearer {STOREFRONT_KEY}").into(),
        );
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
