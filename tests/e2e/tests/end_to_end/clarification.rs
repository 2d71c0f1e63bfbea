//! The storefront answers what the platform asks, and its pages ask how a checkout stands.

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::queue::Queue;
use e2e::stage::Stage;
use reqwest::{Client, Method, StatusCode};
use sandbox::Options;
use serde_json::{Value, json};

/// Creates a checkout without a last name, and waits until the platform asks for it.
async fn asked(stage: &Stage, payment_id: &str) -> anyhow::Result<Value> {
    let mut order = stage.storefront.order(payment_id);
    order["customer"] = json!({ "id": "c-42", "ip_address": "192.0.2.10" });
    let path = "/checkouts";
    let (status, checkout) = stage
        .storefront
        .call(Method::POST, path, Some(&order))
        .await?;
    ensure!(status == StatusCode::CREATED, "{status} {checkout}");
    let asked = stage
        .storefront
        .until(payment_id, "awaiting_clarification")
        .await?;
    ensure!(
        asked["clarification_required"] == json!(["customer.last_name"]),
        "{asked}"
    );
    Ok(checkout)
}

/// Sends answers to what is asked; the answer must have this status.
async fn send(
    stage: &Stage,
    payment_id: &str,
    answers: &Value,
    expected: u16,
) -> anyhow::Result<Value> {
    let path = format!("/payments/{payment_id}/clarification");
    let (status, told) = stage
        .storefront
        .call(Method::POST, &path, Some(answers))
        .await?;
    ensure!(
        status == expected,
        "{answers} was answered {status} instead of {expected}: {told}"
    );
    Ok(told)
}

async fn fault(stage: &Stage, payment_id: &str, answer: &str) -> anyhow::Result<()> {
    let faults = json!({ "answer": answer, "answer_to": ["clarification"], "answer_times": 1 });
    stage.simulator.fault(payment_id, faults).await
}

async fn is_paid(stage: &Stage, payment_id: &str, checkout: &Value) -> anyhow::Result<()> {
    let address = checkout["checkout_url"].as_str().context("no address")?;
    let bank = stage.shopper.bank_of(address).await?;
    stage.shopper.push(&bank, "pay").await?;
    stage.storefront.until(payment_id, "succeeded").await?;
    let fulfilment = Queue::new(stage.sandbox.ready(), "fulfilment")?;
    fulfilment.until(payment_id, "payment.succeeded").await?;
    Ok(())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// What the problem is about: pointers and codes.
fn named(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors
        .map(|error| (text(error, "pointer"), text(error, "code")))
        .collect()
}

#[tokio::test]
async fn a_storefront_answers_what_the_platform_asks() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    let good = json!({ "customer": { "last_name": "Janssens" } });

    let checkout = asked(&stage, "asked").await?;
    for (answers, expected) in [
        (json!({}), vec![("", "missing")]),
        (json!({ "customer": {} }), vec![("", "missing")]),
        (
            json!({ "customer": { "last_name": "Li", "email": "a@b.example" }, "avs": 1 }),
            vec![
                ("/avs", "unknown"),
                ("/customer/email", "unknown"),
                ("/customer/last_name", "invalid"),
            ],
        ),
        (
            json!({ "customer": { "last_name": 7, "billing": { "city": "Gent" } } }),
            vec![
                ("/customer/billing/city", "unknown"),
                ("/customer/last_name", "invalid"),
            ],
        ),
    ] {
        let problem = send(&stage, "asked", &answers, 400).await?;
        ensure!(named(&problem) == expected, "{answers}: {problem}");
        ensure!(!problem.to_string().contains("Gent"), "{problem}");
    }
    let told = send(&stage, "asked", &good, 202).await?;
    ensure!(told["clarification_fields"] == json!([]), "{told}");
    send(&stage, "asked", &good, 409).await?;
    is_paid(&stage, "asked", &checkout).await?;
    send(&stage, "asked", &good, 409).await?;
    send(&stage, "nobody", &good, 404).await?;
    let stranger = stage.storefront.with_key("sk_nobody_x");
    let path = "/payments/asked/clarification";
    let (status, _) = stranger.call(Method::POST, path, Some(&good)).await?;
    ensure!(status == StatusCode::UNAUTHORIZED, "{status}");

    // Nobody asks for anything.
    stage.storefront.create("named").await?;
    send(&stage, "named", &good, 409).await?;

    // The platform refuses, or does not answer; the same answers may be sent again.
    for (payment_id, answer, expected) in [
        ("refused", "error_400", 422),
        ("broken", "error_500", 503),
        ("lost", "lost", 503),
    ] {
        let checkout = asked(&stage, payment_id).await?;
        fault(&stage, payment_id, answer).await?;
        let problem = send(&stage, payment_id, &good, expected).await?;
        ensure!(!problem.to_string().contains("Janssens"), "{problem}");
        let payment = stage.storefront.payment(payment_id).await?;
        ensure!(payment["status"] == "awaiting_clarification", "{payment}");
        send(&stage, payment_id, &good, 202).await?;
        is_paid(&stage, payment_id, &checkout).await?;
    }

    // Taken, but nobody told us so: the callback does.
    let checkout = asked(&stage, "cut").await?;
    fault(&stage, "cut", "cut").await?;
    send(&stage, "cut", &good, 503).await?;
    is_paid(&stage, "cut", &checkout).await?;
    stage.sandbox.stop().await;
    Ok(())
}

/// The platform names optional fields beside those that it must have.
#[tokio::test]
async fn an_optional_field_need_not_be_answered() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    let schema = json!({ "clarification_form": "schema" });
    stage.simulator.fault("schema", schema).await?;
    let checkout = asked(&stage, "schema").await?;
    let payment = stage.storefront.payment("schema").await?;
    let offered = json!(["customer.email", "customer.last_name"]);
    ensure!(payment["clarification_fields"] == offered, "{payment}");
    let answers = json!({ "customer": { "last_name": "Janssens" } });
    send(&stage, "schema", &answers, 202).await?;
    is_paid(&stage, "schema", &checkout).await?;
    stage.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_refund_that_asks_for_data_goes_on_when_it_is_answered() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    stage.paid("asks").await?;
    let asking = json!({ "refund_clarification": { "account": ["number"] } });
    stage.simulator.fault("asks", asking).await?;
    let refund =
        json!({ "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "returned" });
    let (status, refund) = stage.storefront.refund("asks", &refund).await?;
    ensure!(status == StatusCode::ACCEPTED, "{status} {refund}");
    let path = "/payments/asks/refunds/r-1";
    let asked = eventually("the platform asking", || async {
        let (_, refund) = stage.storefront.call(Method::GET, path, None).await?;
        let is_asking = refund["clarification_fields"] != json!([]);
        Ok(is_asking.then_some(refund))
    })
    .await?;
    let fields = json!(["account.number"]);
    ensure!(asked["clarification_fields"] == fields, "{asked}");
    ensure!(asked["clarification_required"] == fields, "{asked}");

    let path = format!("{path}/clarification");
    let answers = json!({ "account": { "number": "BE68539007547034" } });
    for (body, expected) in [
        (json!({ "customer": { "last_name": "Janssens" } }), 400),
        (json!({}), 400),
        (answers.clone(), 202),
        (answers, 409),
    ] {
        let sent = stage.storefront.call(Method::POST, &path, Some(&body));
        let (status, told) = sent.await?;
        ensure!(status == expected, "{body}: {status} {told}");
    }
    let payment = stage.storefront.until("asks", "partially_refunded").await?;
    ensure!(payment["refunds"][0]["status"] == "succeeded", "{payment}");
    let log = e2e::logs::of_functions(&stage.sandbox).await?;
    ensure!(
        log.contains("\"refund_clarification\":1"),
        "nobody is alarmed"
    );
    ensure!(!log.contains("BE68539007547034"), "the log has the account");
    stage.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn only_the_storefronts_pages_may_ask_how_it_stands() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    let http = Client::builder().no_proxy().build()?;
    let shop = stage.sandbox.ready().shop.clone();
    let checkout = stage.storefront.create("watched").await?;
    let address = checkout["checkout_url"].as_str().context("no address")?;
    let allowed = |origin: Option<String>| {
        let mut request = http.get(format!("{address}/status"));
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        async move {
            let response = request.send().await?.error_for_status()?;
            let headers = response.headers();
            let header = |name: &str| {
                let value = headers.get(name).and_then(|value| value.to_str().ok());
                value.map(str::to_owned)
            };
            let allowed = header("access-control-allow-origin");
            let (vary, credentials) = (header("vary"), header("access-control-allow-credentials"));
            ensure!(vary.as_deref() == Some("origin"), "vary: {vary:?}");
            ensure!(credentials.is_none(), "cookies are allowed");
            let told: Value = response.json().await?;
            ensure!(
                told.as_object().is_some_and(|told| told.len() == 3),
                "{told}"
            );
            Ok(allowed)
        }
    };
    ensure!(allowed(Some(shop.clone())).await?.as_deref() == Some(shop.as_str()));
    for origin in [
        None,
        Some("https://evil.example".to_owned()),
        Some("null".to_owned()),
        Some(format!("{shop}0")),
        Some(format!("{shop}/")),
        Some(shop.replace("http:", "https:")),
        Some(stage.sandbox.ready().api.clone()),
    ] {
        let allowed = allowed(origin.clone()).await?;
        ensure!(allowed.is_none(), "{origin:?} is allowed as {allowed:?}");
    }
    // The other routes are for browsers themselves and for back ends.
    let page = http.get(address).header("Origin", &shop).send().await?;
    let allowed = page.headers().get("access-control-allow-origin");
    ensure!(allowed.is_none(), "the page is allowed as {allowed:?}");
    stage.sandbox.stop().await;
    Ok(())
}
