//! Serves `POST /payments/{payment_id}/refunds`.

use lambda_http::{Error, Request, RequestExt, Response, run, service_fn};
use rust_defaults::{App, now, sign, text};
use serde_json::{Value, json};

async fn handle(app: &App, request: Request) -> Result<Response<String>, Error> {
    let answer = |status: u16, body: Value| {
        let response = Response::builder()
            .status(status)
            .header("content-type", "application/json");
        response.body(body.to_string())
    };
    let authorization = request.headers().get("authorization");
    let authorization = authorization
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Some(storefront) = app.storefront(authorization).await? else {
        return Ok(answer(401, Value::Null)?);
    };
    let order: Value = serde_json::from_slice(request.body())?;
    let project_id = storefront["project_id"].as_u64().unwrap_or_default();
    let key = app.project_key(project_id).await?;
    let parameters = request.path_parameters();
    let payment_id = parameters.first("payment_id").unwrap_or_default();

    // Reserve the amount.
    let Some(stored) = app.load(project_id, payment_id).await? else {
        return Ok(answer(404, Value::Null)?);
    };
    let mut payment = stored.document;
    let paid = payment["emitted"]["last"]["paid_amount"]
        .as_u64()
        .unwrap_or_default();
    let refunds = payment["refunds"].as_array().cloned().unwrap_or_default();
    let reserved: u64 = refunds
        .iter()
        .filter_map(|refund| refund["amount"].as_u64())
        .sum();
    let amount = order["amount"].as_u64().unwrap_or(paid - reserved);
    if reserved + amount > paid {
        return Ok(answer(422, Value::Null)?);
    }
    let refund = json!({
        "refund_id": order["refund_id"],
        "amount": amount,
        "description": order["description"],
        "status": "pending",
        "request": { "state": "sending", "since": now() },
    });
    payment["refunds"]
        .as_array_mut()
        .ok_or("no refunds")?
        .push(refund.clone());
    payment["sequence"] = json!(payment["sequence"].as_u64().unwrap_or_default() + 1);
    let event = app.event(&payment, "refund.pending");
    let puts = vec![app.event_put(&payment, &event)];
    app.transact(&payment, Some(stored.version), puts).await?;

    let mut message = json!({
        "general": { "project_id": project_id, "payment_id": payment_id },
        "payment": {
            "amount": amount,
            "currency": order["currency"],
            "description": order["description"],
            "merchant_refund_id": order["refund_id"],
        },
        "customer": { "ip_address": payment["order"]["customer"]["ip_address"] },
    });
    sign(&key, &mut message);
    let accepted = app
        .post_to_gate("/v2/payment/bancontact/refund", &message)
        .await?;

    // Store the answer and publish the event.
    let refunds = payment["refunds"].as_array_mut().ok_or("no refunds")?;
    if let Some(refund) = refunds
        .iter_mut()
        .find(|refund| refund["refund_id"] == order["refund_id"])
    {
        refund["request"] =
            json!({ "state": text(&accepted["status"]), "request_id": accepted["request_id"] });
    }
    app.write(&payment, stored.version + 1).await?;
    app.send(&payment, &event).await?;
    app.mark(&payment).await?;
    Ok(answer(202, refund)?)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let app = App::new().await;
    run(service_fn(|request| handle(&app, request))).await
}
