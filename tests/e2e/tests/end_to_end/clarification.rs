//! The storefront answers what the platform asks, and its pages ask how a checkout stands.

use anyhow::{Context, ensure};
use e2e::queue::Queue;
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use reqwest::{Client, Method, StatusCode};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

struct Test {
    sandbox: Sandbox,
    http: Client,
    storefront: Storefront,
    simulator: Simulator,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options::any_ports()).await?;
        Ok(Self {
            http: Client::builder().no_proxy().build()?,
            storefront: Storefront::new(sandbox.ready())?,
            simulator: Simulator::new(sandbox.ready())?,
            sandbox,
        })
    }

    /// Creates a checkout without a last name, and waits until the platform asks for it.
    async fn asked(&self, payment_id: &str) -> anyhow::Result<Value> {
        let mut order = self.storefront.order(payment_id);
        order["customer"] = json!({ "id": "c-42", "ip_address": "192.0.2.10" });
        let path = "/checkouts";
        let (status, checkout) = self
            .storefront
            .call(Method::POST, path, Some(&order))
            .await?;
        ensure!(status == StatusCode::CREATED, "{status} {checkout}");
        let asked = self
            .storefront
            .until(payment_id, "awaiting_clarification")
            .await?;
        ensure!(
            asked["clarification_fields"] == json!(["customer.last_name"]),
            "{asked}"
        );
        Ok(checkout)
    }

    /// Sends answers; the answer must have this status.
    async fn answer(
        &self,
        payment_id: &str,
        answers: &Value,
        expected: u16,
    ) -> anyhow::Result<Value> {
        let path = format!("/payments/{payment_id}/clarification");
        let (status, told) = self
            .storefront
            .call(Method::POST, &path, Some(answers))
            .await?;
        ensure!(
            status == expected,
            "{answers} was answered {status} instead of {expected}: {told}"
        );
        Ok(told)
    }

    async fn fault(&self, payment_id: &str, answer: &str) -> anyhow::Result<()> {
        let faults = json!({ "answer": answer, "answer_to": ["clarification"], "answer_times": 1 });
        self.simulator.fault(payment_id, faults).await
    }

    async fn is_paid(&self, payment_id: &str, checkout: &Value) -> anyhow::Result<()> {
        let shopper = Shopper::new()?;
        let address = checkout["checkout_url"].as_str().context("no address")?;
        let bank = shopper.bank_of(address).await?;
        shopper.push(&bank, "pay").await?;
        self.storefront.until(payment_id, "succeeded").await?;
        let fulfilment = Queue::new(self.sandbox.ready(), "fulfilment")?;
        fulfilment.until(payment_id, "payment.succeeded").await?;
        Ok(())
    }
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
    let test = Test::start().await?;
    let good = json!({ "customer": { "last_name": "Janssens" } });

    let checkout = test.asked("asked").await?;
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
        let problem = test.answer("asked", &answers, 400).await?;
        ensure!(named(&problem) == expected, "{answers}: {problem}");
        ensure!(!problem.to_string().contains("Gent"), "{problem}");
    }
    let told = test.answer("asked", &good, 202).await?;
    ensure!(told["clarification_fields"] == json!([]), "{told}");
    test.answer("asked", &good, 409).await?;
    test.is_paid("asked", &checkout).await?;
    test.answer("asked", &good, 409).await?;
    test.answer("nobody", &good, 404).await?;
    let stranger = test.storefront.with_key("sk_nobody_x");
    let path = "/payments/asked/clarification";
    let (status, _) = stranger.call(Method::POST, path, Some(&good)).await?;
    ensure!(status == StatusCode::UNAUTHORIZED, "{status}");

    // Nobody asks for anything.
    test.storefront.create("named").await?;
    test.answer("named", &good, 409).await?;

    // The platform refuses, or does not answer; the same answers may be sent again.
    for (payment_id, answer, expected) in [
        ("refused", "error_400", 422),
        ("broken", "error_500", 503),
        ("lost", "lost", 503),
    ] {
        let checkout = test.asked(payment_id).await?;
        test.fault(payment_id, answer).await?;
        let problem = test.answer(payment_id, &good, expected).await?;
        ensure!(!problem.to_string().contains("Janssens"), "{problem}");
        let payment = test.storefront.payment(payment_id).await?;
        ensure!(payment["status"] == "awaiting_clarification", "{payment}");
        test.answer(payment_id, &good, 202).await?;
        test.is_paid(payment_id, &checkout).await?;
    }

    // Taken, but nobody told us so: the callback does.
    let checkout = test.asked("cut").await?;
    test.fault("cut", "cut").await?;
    test.answer("cut", &good, 503).await?;
    test.is_paid("cut", &checkout).await?;
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn only_the_storefronts_pages_may_ask_how_it_stands() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let shop = test.sandbox.ready().shop.clone();
    let checkout = test.storefront.create("watched").await?;
    let address = checkout["checkout_url"].as_str().context("no address")?;
    let allowed = |origin: Option<String>| {
        let mut request = test.http.get(format!("{address}/status"));
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
                told.as_object().is_some_and(|told| told.len() == 2),
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
        Some(test.sandbox.ready().api.clone()),
    ] {
        let allowed = allowed(origin.clone()).await?;
        ensure!(allowed.is_none(), "{origin:?} is allowed as {allowed:?}");
    }
    // The other routes are for browsers themselves and for back ends.
    let page = test
        .http
        .get(address)
        .header("Origin", &shop)
        .send()
        .await?;
    let allowed = page.headers().get("access-control-allow-origin");
    ensure!(allowed.is_none(), "the page is allowed as {allowed:?}");
    test.sandbox.stop().await;
    Ok(())
}
