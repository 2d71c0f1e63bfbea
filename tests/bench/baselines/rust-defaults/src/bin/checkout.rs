//! Serves `POST /checkouts`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_http::{Error, Request, Response, run, service_fn};
use rust_defaults::{App, mac, now, sign, text, variable};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

async fn handle(app: &App, request: Request) -> Result<Response<String>, Error> {
    let authorization = request.headers().get("authorization");
    let authorization = authorization
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Some(storefront) = app.storefront(authorization).await? else {
        return Ok(Response::builder().status(401).body(String::new())?);
    };
    let order: Value = serde_json::from_slice(request.body())?;
    let project_id = storefront["project_id"].as_u64().unwrap_or_default();
    let key = app.project_key(project_id).await?;
    let secret = app.secret(&variable("TOKEN_SECRET")).await?;
    let payment_id = text(&order["payment_id"]);
    let token = mac(&secret, &format!("checkout/0/{project_id}/{payment_id}"));
    let token = URL_SAFE_NO_PAD.encode(&hmac::Mac::finalize(token).into_bytes()[..24]);
    let mut payment = json!({
        "project_id": project_id,
        "payment_id": payment_id,
        "order": {
            "storefront": storefront["name"],
            "order_id": order["order_id"],
            "amount": order["amount"],
            "currency": order["currency"],
            "channel": "gate",
            "return_url": order["return_url"],
            "origins": storefront["return_origins"],
            "language": order["language"],
            "description": order["description"],
            "customer": order["customer"],
            "expires_at": now() / 1000 + 1800,
            "content": hex::encode(Sha256::digest(request.body().as_ref())),
        },
        "sale": { "state": "sending", "since": now() },
        "reported": { "operations": {} },
        "refunds": [],
        "emitted": { "last": { "status": "created", "paid_amount": 0 } },
        "sequence": 1,
        "created_at": now(),
        "updated_at": now(),
    });
    let token_hash = hex::encode(Sha256::digest(&token));
    let event = app.event(&payment, "payment.created");
    let puts = vec![
        app.event_put(&payment, &event),
        app.day_put(&payment),
        app.token_put(&payment, &token_hash),
    ];
    app.transact(&payment, None, puts).await?;

    let checkout_url = format!("{}/checkouts/{token}", variable("PUBLIC_BASE_URL"));
    let mut message = json!({
        "general": { "project_id": project_id, "payment_id": payment_id },
        "payment": { "amount": order["amount"], "currency": order["currency"], "description": order["description"] },
        "customer": order["customer"],
        "return_url": { "default": format!("{checkout_url}/return") },
    });
    sign(&key, &mut message);
    let answer = app
        .post_to_gate("/v2/payment/bancontact/sale", &message)
        .await?;

    payment["sale"] = match answer["status"] == "success" {
        true => json!({ "state": "accepted", "request_id": answer["request_id"] }),
        false => json!({ "state": "unclear" }),
    };
    app.write(&payment, 1).await?;
    app.send(&payment, &event).await?;
    app.mark(&payment).await?;

    let view = json!({
        "payment_id": payment_id,
        "order_id": order["order_id"],
        "status": "processing",
        "amount": order["amount"],
        "currency": order["currency"],
        "channel": "gate",
        "checkout_url": checkout_url,
        "app_payment_available": true,
        "redirect": null,
        "expires_at": payment["order"]["expires_at"],
    });
    let response = Response::builder()
        .status(201)
        .header("content-type", "application/json");
    Ok(response
        .header("location", checkout_url)
        .body(view.to_string())?)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let app = App::new().await;
    run(service_fn(|request| handle(&app, request))).await
}
