//! Serves `POST /callbacks`.

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use lambda_http::{Error, Request, Response, run, service_fn};
use rust_defaults::{App, canonical, log, mac, text};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

async fn handle(app: &App, request: Request) -> Result<Response<String>, Error> {
    let start = Instant::now();
    let (status, outcome, payment) = handle_callback(app, request.body()).await?;
    log(outcome, &payment, start.elapsed());
    Ok(Response::builder().status(status).body(String::new())?)
}

async fn handle_callback(app: &App, body: &[u8]) -> Result<(u16, &'static str, Value), Error> {
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        return Ok((400, "malformed", Value::Null));
    };
    let project_id = message["project_id"].as_u64().unwrap_or_default();
    let key = app.project_key(project_id).await?;
    let signature = STANDARD
        .decode(text(&message["signature"]))
        .unwrap_or_default();
    let canonical = canonical(&message);
    if mac(&key, &canonical).verify_slice(&signature).is_err() {
        return Ok((401, "unsigned", Value::Null));
    }
    let Some(stored) = app
        .load(project_id, &text(&message["payment"]["id"]))
        .await?
    else {
        return Ok((200, "no_payment", Value::Null));
    };
    let mut payment = stored.document;
    let report = hex::encode(&Sha256::digest(&canonical)[..8]);
    let operation = &message["operation"];
    let id = operation["id"].to_string();
    if payment["reported"]["operations"][&id]["report"] == json!(report)
        || payment["emitted"]["last"]["status"] == "succeeded"
    {
        return Ok((200, "duplicate", payment));
    }
    let is_paid = operation["status"] == "success";
    payment["reported"]["operations"][&id] = json!({
        "kind": operation["type"],
        "outcome": if is_paid { "succeeded" } else { "pending" },
        "platform_status": operation["status"],
        "report": report,
        "amount": operation["sum_initial"]["amount"],
        "currency": operation["sum_initial"]["currency"],
        "code": operation["code"],
        "request_id": operation["request_id"],
    });
    payment["platform_status"] =
        json!({ "date": message["payment"]["date"], "status": message["payment"]["status"] });
    payment["emitted"]["last"] = json!({
        "status": if is_paid { "succeeded" } else { "processing" },
        "paid_amount": if is_paid { message["payment"]["sum"]["amount"].clone() } else { json!(0) },
        "quarantine": [],
    });
    payment["updated_at"] = message["payment"]["date"].clone();
    payment["sequence"] = json!(payment["sequence"].as_u64().unwrap_or_default() + 1);
    let kind = if is_paid {
        "payment.succeeded"
    } else {
        "payment.awaiting_customer"
    };
    let event = app.event(&payment, kind);
    let mut puts = vec![app.event_put(&payment, &event)];
    if is_paid {
        puts.push(app.order_put(&payment));
    }
    app.transact(&payment, Some(stored.version), puts).await?;
    app.send(&payment, &event).await?;
    app.mark(&payment).await?;
    Ok((200, "applied", payment))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let app = App::new().await;
    run(service_fn(|request| handle(&app, request))).await
}
