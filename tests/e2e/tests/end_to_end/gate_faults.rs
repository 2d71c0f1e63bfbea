//! Whatever becomes of the request to Gate: the answer is the contract's, a repeat is safe, and
//! nobody pays twice.

use anyhow::{Context, ensure};
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use ecommpay::json::{self, Limits};
use ecommpay::{ProjectKey, signature};
use futures_util::future::try_join_all;
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

    async fn post(&self, payment_id: &str) -> anyhow::Result<(StatusCode, Value)> {
        let order = self.storefront.order(payment_id);
        self.storefront
            .call(Method::POST, "/checkouts", Some(&order))
            .await
    }

    /// Posts an order; the answer must have this status.
    async fn posted(&self, payment_id: &str, expected: u16) -> anyhow::Result<Value> {
        let (status, answer) = self.post(payment_id).await?;
        ensure!(
            status == expected,
            "{payment_id} was answered {status} instead of {expected}: {answer}"
        );
        Ok(answer)
    }

    /// Posts the same order many times at once; gives the one checkout that comes of it.
    async fn crowd(&self, payment_id: &str, size: usize) -> anyhow::Result<Value> {
        let answers = try_join_all((0..size).map(|_| self.post(payment_id))).await?;
        let created = answers
            .iter()
            .filter(|(status, _)| *status == StatusCode::CREATED);
        ensure!(created.count() == 1, "not created once: {answers:?}");
        let mut checkout = Value::Null;
        for (status, answer) in answers {
            // Whoever finds too many others at it is told to come again.
            let is_well = [200, 201, 503].contains(&status.as_u16());
            ensure!(is_well, "{status} {answer}");
            if status != StatusCode::SERVICE_UNAVAILABLE {
                let address = &answer["checkout_url"];
                ensure!(checkout.is_null() || checkout["checkout_url"] == *address);
                checkout = answer;
            }
        }
        Ok(checkout)
    }

    /// Pays behind a checkout; the money must be taken once, by the only sale in the books.
    async fn pay(&self, payment_id: &str, checkout: &Value) -> anyhow::Result<()> {
        let shopper = Shopper::new()?;
        let address = checkout["checkout_url"].as_str().context("no address")?;
        let bank = shopper.bank_of(address).await?;
        shopper.push(&bank, "pay").await?;
        let paid = self.storefront.until(payment_id, "succeeded").await?;
        ensure!(paid["paid_amount"] == 1000, "{paid}");
        // Once more, now that it is paid.
        let again = self.posted(payment_id, 200).await?;
        ensure!(again["status"] == "succeeded", "{again}");
        let books = self.simulator.books(payment_id).await?;
        let operations = books["operations"].as_array();
        ensure!(operations.is_some_and(|all| all.len() == 1), "{books}");
        ensure!(books["paid"] == 1000, "{books}");
        Ok(())
    }

    /// Tells us, signed, that the request of an attempt has failed.
    async fn report_error(&self, payment_id: &str, request_id: &Value) -> anyhow::Result<()> {
        let mut message = json!({
            "project_id": self.sandbox.ready().project_id,
            "payment": { "id": payment_id, "status": "error" },
            "operation": { "type": "sale", "status": "error", "request_id": request_id },
            "errors": [{ "code": "501", "message": "Internal error" }],
        });
        let text = message.to_string();
        let parsed = json::parse(text.as_bytes(), Limits::CALLBACK)?;
        let key = ProjectKey::new(&self.sandbox.ready().project_key)?;
        let signature = key.sign(&signature::canonical(&parsed));
        message["signature"] = json!(signature.to_base64());
        let url = format!("{}/callbacks", self.sandbox.ready().api);
        let answer = self.http.post(url).body(message.to_string()).send().await?;
        ensure!(answer.status() == StatusCode::OK, "{}", answer.status());
        Ok(())
    }
}

/// One request goes wrong; callbacks are held back, so that nothing but the answer counts.
fn once(answer: &str) -> Value {
    json!({ "answer": answer, "answer_times": 1, "slow_ms": 20_000, "hold": true })
}

#[tokio::test]
async fn what_is_unclear_is_repeated_and_paid_once() -> anyhow::Result<()> {
    let test = Test::start().await?;
    for (fault, is_taken) in [
        ("cut", true),
        ("slow", true),
        ("not_json", true),
        ("error_500", false),
        ("lost", false),
        ("error_3041", false),
    ] {
        test.simulator.fault(fault, once(fault)).await?;
        let checkout = test.posted(fault, 201).await?;
        ensure!(checkout["status"] == "processing", "{fault}: {checkout}");
        let status = test.simulator.books(fault).await?["status"].clone();
        ensure!(status.is_string() == is_taken, "{fault}: {status}");

        // The repeats are the same checkout; where the sale was taken, Gate says 3041 to the first.
        for _ in 0..2 {
            let again = test.posted(fault, 200).await?;
            ensure!(again["status"] == "processing", "{fault}: {again}");
            ensure!(again["checkout_url"] == checkout["checkout_url"], "{again}");
        }
        test.simulator.fault(fault, json!({})).await?;
        test.pay(fault, &checkout).await?;
    }
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_refused_payment_is_begun_again_and_paid() -> anyhow::Result<()> {
    let test = Test::start().await?;
    test.simulator.fault("refused", once("error_400")).await?;
    let problem = test.posted("refused", 422).await?;
    let kind = problem["type"].as_str().unwrap_or_default();
    ensure!(kind.ends_with("platform-refused"), "{problem}");
    ensure!(problem.to_string().contains("502"), "{problem}");
    let failed = test.storefront.payment("refused").await?;
    ensure!(failed["status"] == "failed", "{failed}");
    ensure!(test.simulator.books("refused").await?["status"].is_null());
    test.simulator.fault("refused", json!({})).await?;
    let checkout = test.crowd("refused", 10).await?;
    let requests = test.simulator.requests("refused", "sale").await?;
    ensure!(requests == 2, "{requests} sales were sent");
    test.pay("refused", &checkout).await?;
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn late_news_of_a_failed_attempt_leaves_the_next_one_alone() -> anyhow::Result<()> {
    let test = Test::start().await?;
    test.simulator
        .fault("again", json!({ "sale_error": true }))
        .await?;
    let first = test.posted("again", 201).await?;
    test.storefront.until("again", "failed").await?;
    let request_id = test.simulator.books("again").await?["operations"][0]["request_id"].clone();
    ensure!(request_id.is_string(), "{request_id}");

    test.simulator.fault("again", json!({})).await?;
    let second = test.posted("again", 201).await?;
    ensure!(first["checkout_url"] != second["checkout_url"], "{second}");
    test.report_error("again", &request_id).await?;
    test.storefront.until("again", "awaiting_customer").await?;
    test.report_error("again", &request_id).await?;
    let payment = test.storefront.payment("again").await?;
    ensure!(payment["status"] == "awaiting_customer", "{payment}");
    test.pay("again", &second).await?;

    // What is paid stays paid, and the first link leads to the shop like the second.
    test.report_error("again", &request_id).await?;
    let payment = test.storefront.payment("again").await?;
    ensure!(payment["status"] == "succeeded", "{payment}");
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn fifty_at_once_are_one_checkout() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let checkout = test.crowd("crowd", 50).await?;
    let books = test.simulator.books("crowd").await?;
    ensure!(books["requests"]["sale"] == 1, "{books}");
    test.pay("crowd", &checkout).await?;
    test.sandbox.stop().await;
    Ok(())
}
