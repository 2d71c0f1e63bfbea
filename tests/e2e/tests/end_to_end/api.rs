//! The API as storefronts and shoppers meet it, beyond the usual way.

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use reqwest::{Client, Method, StatusCode};
use sandbox::{Options, Ready, Sandbox};
use serde_json::{Value, json};

struct Test {
    sandbox: Sandbox,
    http: Client,
    storefront: Storefront,
    shopper: Shopper,
    simulator: Simulator,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options::any_ports()).await?;
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            storefront: Storefront::new(sandbox.ready())?,
            shopper: Shopper::new()?,
            simulator: Simulator::new(sandbox.ready())?,
            sandbox,
        })
    }

    fn ready(&self) -> &Ready {
        self.sandbox.ready()
    }

    async fn post(&self, order: &Value) -> anyhow::Result<(StatusCode, Value)> {
        self.storefront
            .call(Method::POST, "/checkouts", Some(order))
            .await
    }

    async fn page(&self, url: &str) -> anyhow::Result<(StatusCode, String)> {
        let response = self.http.get(url).send().await?;
        Ok((response.status(), response.text().await?))
    }

    async fn paid(&self, payment_id: &str) -> anyhow::Result<()> {
        let checkout = self.storefront.create(payment_id).await?;
        let bank = self
            .shopper
            .bank_of(text(&checkout["checkout_url"]))
            .await?;
        self.shopper.push(&bank, "pay").await?;
        self.storefront.until(payment_id, "succeeded").await?;
        Ok(())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors.map(|error| text(&error["pointer"])).collect()
}

#[tokio::test]
async fn storefronts_are_told_what_is_wrong() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let order = test.storefront.order("Api-1");

    for key in ["", "sk_sandbox_wrong", "sk_nobody_x", "x"] {
        let stranger = test.storefront.with_key(key);
        for (method, path) in [
            (Method::POST, "/checkouts"),
            (Method::GET, "/payments/Api-1"),
        ] {
            let (status, problem) = stranger.call(method, path, Some(&order)).await?;
            ensure!(
                status == StatusCode::UNAUTHORIZED,
                "{key} was answered {status} {problem}"
            );
        }
    }

    let bad = json!({
        "payment_id": "a/b", "amount": 99, "currency": "USD", "channel": "card", "colour": "red",
        "customer": { "id": "a;b", "ip_address": "300.1.1.1", "last_name": "Li" },
        "return_url": "https://evil.example/", "expires_in": 0, "language": "es",
    });
    let (status, problem) = test.post(&bad).await?;
    ensure!(status == StatusCode::BAD_REQUEST, "{status}");
    let mut named = pointers(&problem);
    named.sort_unstable();
    let expected = [
        "/amount",
        "/channel",
        "/colour",
        "/currency",
        "/customer/id",
        "/customer/ip_address",
        "/customer/last_name",
        "/expires_in",
        "/language",
        "/payment_id",
        "/return_url",
    ];
    ensure!(named == expected, "{named:?}");
    for amount in [
        json!("1000"),
        json!(1000.5),
        json!(-1000),
        json!(10_000_000_000_001_u64),
        Value::Null,
    ] {
        let mut order = order.clone();
        order["amount"] = amount.clone();
        let (status, problem) = test.post(&order).await?;
        ensure!(
            status == StatusCode::BAD_REQUEST && pointers(&problem) == ["/amount"],
            "{amount}: {problem}"
        );
    }

    let (status, first) = test.post(&order).await?;
    ensure!(status == StatusCode::CREATED, "{status} {first}");
    ensure!(first["app_payment_available"] == json!(true), "{first}");
    let (status, again) = test.post(&order).await?;
    ensure!(
        status == StatusCode::OK && again["checkout_url"] == first["checkout_url"],
        "{status} {again}"
    );
    let mut spelled = order.clone();
    spelled["payment_id"] = json!("aPI-1");
    let (status, again) = test.post(&spelled).await?;
    ensure!(
        status == StatusCode::OK && again["payment_id"] == "Api-1",
        "{status} {again}"
    );
    let mut other = order.clone();
    other["amount"] = json!(1001);
    let (status, problem) = test.post(&other).await?;
    ensure!(status == StatusCode::CONFLICT, "{status} {problem}");
    ensure!(test.simulator.requests("Api-1", "sale").await? == json!(1));

    for path in [
        "/payments/nobody",
        "/payments/Api-1%3Fx",
        "/payments/Api-1/refunds/r-1",
    ] {
        let (status, problem) = test.storefront.call(Method::GET, path, None).await?;
        ensure!(
            status == StatusCode::NOT_FOUND,
            "{path} was answered {status} {problem}"
        );
    }
    let refund = json!({ "refund_id": "r-1", "description": "too early" });
    let (status, problem) = test.storefront.refund("Api-1", &refund).await?;
    ensure!(status == StatusCode::CONFLICT, "{status} {problem}");
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn shoppers_are_taken_there_and_back() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let api = &test.ready().api;

    let (status, page) = test
        .page(&format!("{api}/checkouts/nobody-has-this-token"))
        .await?;
    ensure!(
        status == StatusCode::NOT_FOUND && page.contains("not known"),
        "{status} {page}"
    );

    // PollResult to wait, the storefront gets the bank's address at once.
    let response = test
        .http
        .post(format!("{api}/checkouts"))
        .bearer_auth(&test.ready().storefront_key)
        .header("Prefer", "wait=10")
        .json(&test.storefront.order("waited"))
        .send()
        .await?;
    ensure!(
        response.status() == StatusCode::CREATED,
        "{}",
        response.status()
    );
    let location = response
        .headers()
        .get("location")
        .cloned()
        .context("no location")?;
    let waited: Value = response.json().await?;
    ensure!(waited["checkout_url"] == location.to_str()?, "{waited}");
    ensure!(
        text(&waited["redirect"]["url"]).starts_with(&test.ready().platform),
        "{waited}"
    );

    // The bank says no: the shopper reads it, the storefront too.
    let bank = test.shopper.bank_of(text(&waited["checkout_url"])).await?;
    let back = test.shopper.push(&bank, "decline").await?;
    let shop = test.shopper.follow(&back).await?;
    ensure!(shop.ends_with("/thanks?payment_id=waited"), "{shop}");
    let declined = test.storefront.until("waited", "declined").await?;
    ensure!(declined["decline"]["code"] == "20301", "{declined}");
    ensure!(
        text(&declined["decline"]["advice"]).contains("tried again"),
        "{declined}"
    );
    let (status, page) = test.page(text(&waited["checkout_url"])).await?;
    ensure!(
        status == StatusCode::OK && page.contains("was declined"),
        "{status} {page}"
    );
    let status_url = format!("{}/status", text(&waited["checkout_url"]));
    let (_, told) = test.page(&status_url).await?;
    ensure!(
        told == r#"{"checkout":"done","final":true,"status":"declined"}"#,
        "{told}"
    );

    // A form instead of an address.
    test.simulator
        .fault("form", json!({ "redirect_method": "POST" }))
        .await?;
    let checkout = test.storefront.create("form").await?;
    let page = eventually("the form", || async {
        let response = test
            .http
            .get(text(&checkout["checkout_url"]))
            .send()
            .await?;
        let policy = response.headers().get("content-security-policy").cloned();
        let page = response.text().await?;
        Ok(page
            .contains("<form method=\"post\"")
            .then_some((page, policy)))
    });
    let (page, policy) = page.await?;
    let policy = policy.context("no policy")?.to_str()?.to_owned();
    ensure!(
        policy.starts_with("default-src 'none'") && policy.contains("form-action https:"),
        "{policy}"
    );
    ensure!(
        page.contains("&lt;1+1&gt;") && !page.contains("<1+1>"),
        "{page}"
    );

    // Too late.
    let mut order = test.storefront.order("late");
    order["expires_in"] = json!(1);
    let (_, checkout) = test.post(&order).await?;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let (status, page) = test.page(text(&checkout["checkout_url"])).await?;
    ensure!(
        status == StatusCode::GONE && page.contains("expired"),
        "{status} {page}"
    );
    let status_url = format!("{}/status", text(&checkout["checkout_url"]));
    let told: Value = serde_json::from_str(&test.page(&status_url).await?.1)?;
    ensure!(
        told["final"] == true && told["checkout"] == "expired",
        "{told}"
    );
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_gate_leaves_open_is_settled() -> anyhow::Result<()> {
    let test = Test::start().await?;

    // Taken, but the answer was cut off: the callback shows that the sale lives.
    test.simulator
        .fault("cut", json!({ "answer": "cut", "answer_times": 1 }))
        .await?;
    let checkout = test.storefront.create("cut").await?;
    ensure!(
        checkout["status"] == "processing" || checkout["status"] == "awaiting_customer",
        "{checkout}"
    );
    test.shopper
        .bank_of(text(&checkout["checkout_url"]))
        .await?;
    ensure!(test.simulator.requests("cut", "sale").await? == json!(1));

    // Never arrived: the storefront's repeat sends it again, with the same id.
    test.simulator
        .fault("lost", json!({ "answer": "lost", "answer_times": 1 }))
        .await?;
    let checkout = test.storefront.create("lost").await?;
    ensure!(checkout["status"] == "processing", "{checkout}");
    let (status, _) = test.post(&test.storefront.order("lost")).await?;
    ensure!(status == StatusCode::OK, "{status}");
    test.shopper
        .bank_of(text(&checkout["checkout_url"]))
        .await?;
    ensure!(test.simulator.requests("lost", "sale").await? == json!(2));

    // Another amount than ordered.
    test.simulator
        .fault("odd", json!({ "wrong_amount": 900 }))
        .await?;
    let checkout = test.storefront.create("odd").await?;
    let bank = test
        .shopper
        .bank_of(text(&checkout["checkout_url"]))
        .await?;
    test.shopper.push(&bank, "pay").await?;
    let odd = test.storefront.until("odd", "quarantined").await?;
    let reasons = odd["quarantine"].as_array().context("no reasons")?;
    ensure!(
        reasons.len() == 1 && reasons[0]["reason"] == "amount_differs",
        "{odd}"
    );
    ensure!(reasons[0]["ordered"]["amount"] == 1000, "{odd}");
    ensure!(odd["paid_amount"] == 900, "{odd}");
    let (_, page) = test.page(text(&checkout["checkout_url"])).await?;
    ensure!(page.contains("being checked"), "{page}");
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn refunds_stay_within_what_is_left() -> anyhow::Result<()> {
    let test = Test::start().await?;
    test.paid("paid").await?;
    let refund = |id: &str, amount: u64| json!({ "refund_id": id, "amount": amount, "currency": "EUR", "description": "returned" });
    let (status, problem) = test.storefront.refund("paid", &refund("r-0", 1001)).await?;
    ensure!(
        status == StatusCode::UNPROCESSABLE_ENTITY,
        "{status} {problem}"
    );
    let bad = json!({ "refund_id": "r 0", "amount": 1 });
    let (status, problem) = test.storefront.refund("paid", &bad).await?;
    ensure!(status == StatusCode::BAD_REQUEST, "{status}");
    ensure!(
        pointers(&problem) == ["/refund_id", "/description", "/currency"],
        "{problem}"
    );

    let (status, _) = test.storefront.refund("paid", &refund("r-1", 300)).await?;
    ensure!(status == StatusCode::ACCEPTED, "{status}");
    let (status, again) = test.storefront.refund("PAID", &refund("R-1", 300)).await?;
    ensure!(
        status == StatusCode::ACCEPTED && again["refund_id"] == "r-1",
        "{status} {again}"
    );
    let (status, problem) = test.storefront.refund("paid", &refund("r-1", 301)).await?;
    ensure!(status == StatusCode::CONFLICT, "{status} {problem}");

    // As from the platform's own Dashboard, then the rest.
    test.simulator
        .refund("paid", json!({ "amount": 200 }))
        .await?;
    eventually("both refunds", || async {
        let payment = test.storefront.payment("paid").await?;
        Ok((payment["refunded_amount"] == json!(500)).then_some(()))
    })
    .await?;
    let rest = json!({ "refund_id": "r-2", "description": "all of it" });
    let (status, rest) = test.storefront.refund("paid", &rest).await?;
    ensure!(
        status == StatusCode::ACCEPTED && rest["amount"] == json!(500),
        "{status} {rest}"
    );
    let refunded = test.storefront.until("paid", "refunded").await?;
    ensure!(refunded["refundable_amount"] == json!(0), "{refunded}");
    let outside: Vec<&Value> = refunded["refunds"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    ensure!(
        outside.iter().any(|refund| refund["refund_id"].is_null()),
        "{refunded}"
    );
    let (status, refund) = test
        .storefront
        .call(Method::GET, "/payments/paid/refunds/R-2", None)
        .await?;
    ensure!(
        status == StatusCode::OK && refund["status"] == "succeeded",
        "{status} {refund}"
    );
    ensure!(test.simulator.requests("paid", "refund").await? == json!(2));
    test.sandbox.stop().await;
    Ok(())
}
