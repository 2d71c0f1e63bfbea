//! How payments go on after the shopper has paid: confirmed or not, a refund taken back, paid after the
//! checkout expired. The page, `/status`, the API and the events say the same.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::queue::Queue;
use e2e::stage::Stage;
use reqwest::{Client, Method, StatusCode, redirect::Policy};
use sandbox::Options;
use serde_json::{Value, json};

struct Test {
    stage: Stage,
    fulfilment: Queue,
    http: Client,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let stage = Stage::start(Options::any_ports()).await?;
        Ok(Self {
            fulfilment: Queue::new(stage.sandbox.ready(), "fulfilment")?,
            http: Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .build()?,
            stage,
        })
    }

    /// Creates a checkout; gives its address.
    async fn checkout(&self, payment_id: &str, expires_in: u64) -> anyhow::Result<String> {
        let storefront = &self.stage.storefront;
        let mut order = storefront.order(payment_id);
        order["expires_in"] = json!(expires_in);
        order["language"] = json!("en");
        let created = storefront.call(Method::POST, "/checkouts", Some(&order));
        let (status, checkout) = created.await?;
        ensure!(status == StatusCode::CREATED, "{status} {checkout}");
        let address = checkout["checkout_url"].as_str().context("no address")?;
        Ok(address.to_owned())
    }

    /// What the shopper's page is told.
    async fn status(&self, checkout: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{checkout}/status")).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn page(&self, checkout: &str) -> anyhow::Result<(StatusCode, String)> {
        let answer = self.http.get(checkout).send().await?;
        Ok((answer.status(), answer.text().await?))
    }

    /// A payment whose shopper has paid and whose money waits for its confirmation; gives the
    /// checkout's address.
    async fn awaiting_confirmation(&self, payment_id: &str) -> anyhow::Result<String> {
        let stage = &self.stage;
        let waiting = json!({ "confirmation": { "result": "none" } });
        stage.simulator.fault(payment_id, waiting).await?;
        let checkout = self.checkout(payment_id, 1_800).await?;
        let bank = stage.shopper.bank_of(&checkout).await?;
        let back = stage.shopper.push(&bank, "pay").await?;
        let until = stage.storefront.until(payment_id, "awaiting_confirmation");
        let payment = until.await?;
        ensure!(payment["paid_amount"] == 0, "{payment}");
        ensure!(payment["refundable_amount"] == 0, "{payment}");
        let told = self.status(&checkout).await?;
        let expected =
            json!({ "status": "awaiting_confirmation", "final": true, "checkout": "done" });
        ensure!(told == expected, "{told}");
        let (status, page) = self.page(&checkout).await?;
        ensure!(
            status == StatusCode::OK && page.contains("is being checked"),
            "{status} {page}"
        );
        let shop = stage.shopper.follow(&back).await?;
        ensure!(
            shop.ends_with(&format!("payment_id={payment_id}")),
            "{shop}"
        );
        Ok(checkout)
    }

    /// The types of the events of a payment that fulfilment gets until one of a type comes.
    async fn announced(&self, payment_id: &str, last: &str) -> anyhow::Result<Vec<Value>> {
        self.fulfilment.until(payment_id, last).await
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().filter_map(|event| event["type"].as_str());
    kinds.collect()
}

#[tokio::test]
async fn money_counts_once_it_is_confirmed_and_not_before() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let (storefront, simulator) = (&test.stage.storefront, &test.stage.simulator);

    let checkout = test.awaiting_confirmation("credited").await?;
    simulator.confirm("credited", "credit").await?;
    let paid = storefront.until("credited", "succeeded").await?;
    ensure!(paid["paid_amount"] == 1000, "{paid}");
    let events = test.announced("credited", "payment.succeeded").await?;
    let expected = ["payment.awaiting_confirmation", "payment.succeeded"];
    ensure!(kinds(&events) == expected, "{events:?}");
    let told = test.status(&checkout).await?;
    ensure!(told["status"] == "succeeded", "{told}");

    let checkout = test.awaiting_confirmation("not-credited").await?;
    simulator.confirm("not-credited", "decline").await?;
    let declined = storefront.until("not-credited", "declined").await?;
    ensure!(declined["paid_amount"] == 0, "{declined}");
    let events = test.announced("not-credited", "payment.declined").await?;
    let expected = ["payment.awaiting_confirmation", "payment.declined"];
    ensure!(kinds(&events) == expected, "{events:?}");
    let last = events.last().context("no event")?;
    ensure!(last["data"]["corrects"].is_null(), "{last}");
    let (_, page) = test.page(&checkout).await?;
    ensure!(page.contains("was declined"), "{page}");
    test.stage.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn money_that_was_emitted_is_withdrawn() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let (storefront, simulator) = (&test.stage.storefront, &test.stage.simulator);
    test.awaiting_confirmation("withdrawn").await?;
    simulator.confirm("withdrawn", "credit").await?;
    test.announced("withdrawn", "payment.succeeded").await?;

    // The platform's dates have whole seconds.
    tokio::time::sleep(Duration::from_secs(1)).await;
    simulator.confirm("withdrawn", "decline").await?;
    let declined = storefront.until("withdrawn", "declined").await?;
    ensure!(declined["paid_amount"] == 0, "{declined}");
    let events = test.announced("withdrawn", "payment.declined").await?;
    let last = events.last().context("no event")?;
    ensure!(last["data"]["corrects"] == "payment.succeeded", "{last}");
    test.stage.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_refund_that_is_taken_back_can_be_made_again() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let (storefront, simulator) = (&test.stage.storefront, &test.stage.simulator);
    test.stage.paid("returned").await?;
    let refund = |id: &str| json!({ "refund_id": id, "description": "returned" });
    let (status, answer) = storefront.refund("returned", &refund("r-1")).await?;
    ensure!(status == StatusCode::ACCEPTED, "{status} {answer}");
    let refunded = storefront.until("returned", "refunded").await?;
    let operation = refunded["refunds"][0]["operation_id"].as_str();
    let operation = operation.context("no operation")?;
    simulator
        .reverse_refund("returned", operation, json!({}))
        .await?;
    let paid = storefront.until("returned", "succeeded").await?;
    for (field, value) in [("refunded_amount", 0), ("refundable_amount", 1000)] {
        ensure!(paid[field] == value, "{paid}");
    }
    let returned = &paid["refunds"][0];
    ensure!(returned["status"] == "returned", "{paid}");
    ensure!(returned["returned_amount"] == 1000, "{paid}");
    let events = test.announced("returned", "refund.returned").await?;
    let last = events.last().context("no event")?;
    ensure!(last["data"]["refund"]["refund_id"] == "r-1", "{last}");

    // The id is used, the money is not.
    let (status, same) = storefront.refund("returned", &refund("r-1")).await?;
    ensure!(
        status == StatusCode::ACCEPTED && same["status"] == "returned",
        "{status} {same}"
    );
    let (status, again) = storefront.refund("returned", &refund("r-2")).await?;
    ensure!(
        status == StatusCode::ACCEPTED && again["amount"] == 1000,
        "{status} {again}"
    );
    storefront.until("returned", "refunded").await?;
    test.stage.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn money_that_comes_after_the_checkout_expired_is_late() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let stage = &test.stage;
    let lifetime = Duration::from_secs(5);
    let checkout = test.checkout("late", lifetime.as_secs()).await?;
    let bank = stage.shopper.bank_of(&checkout).await?;
    tokio::time::sleep(lifetime).await;
    let told = test.status(&checkout).await?;
    let expected = json!({ "status": "awaiting_customer", "final": true, "checkout": "expired" });
    ensure!(told == expected, "{told}");
    let (status, page) = test.page(&checkout).await?;
    ensure!(
        status == StatusCode::GONE && page.contains("has expired"),
        "{status} {page}"
    );
    stage.sweep().await?;
    let events = test.announced("late", "checkout.expired").await?;
    ensure!(kinds(&events) == ["checkout.expired"], "{events:?}");

    stage.shopper.push(&bank, "pay").await?;
    let paid = stage.storefront.until("late", "succeeded").await?;
    ensure!(paid["checkout"] == "expired", "{paid}");
    let events = test.announced("late", "payment.succeeded").await?;
    let last = events.last().context("no event")?;
    ensure!(last["data"]["late"] == true, "{last}");
    let told = test.status(&checkout).await?;
    ensure!(told["status"] == "succeeded", "{told}");
    test.stage.sandbox.stop().await;
    Ok(())
}
