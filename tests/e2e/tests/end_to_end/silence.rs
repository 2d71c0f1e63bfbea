//! No callback ever comes, and times run 3,600 times faster: what the platform knows is learnt from
//! its answers to questions alone.

use std::cell::Cell;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::operator::{call, invoke};
use e2e::queue::Queue;
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use reqwest::{Method, StatusCode};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

struct Test {
    sandbox: Sandbox,
    storefront: Storefront,
    simulator: Simulator,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        Self::with(Options {
            divide_times: 3_600,
            ..Options::any_ports()
        })
        .await
    }

    async fn with(options: Options) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(options).await?;
        Ok(Self {
            storefront: Storefront::new(sandbox.ready())?,
            simulator: Simulator::new(sandbox.ready())?,
            sandbox,
        })
    }

    /// Creates a checkout of a payment about which no callback comes.
    async fn silent(&self, payment_id: &str, faults: Value) -> anyhow::Result<()> {
        let mut faults = faults;
        faults["drop"] = json!(true);
        self.simulator.fault(payment_id, faults).await?;
        self.storefront.create(payment_id).await?;
        Ok(())
    }

    /// Pushes a button on the bank's page, which the shopper was not led to by us.
    async fn at_the_bank(&self, payment_id: &str, button: &str) -> anyhow::Result<()> {
        let bank = eventually("the bank's page", || async {
            let books = self.simulator.books(payment_id).await?;
            let is_there = books["status"] == "awaiting redirect result";
            let page = books["bank_page"].as_str().filter(|_| is_there);
            Ok(page.map(str::to_owned))
        });
        Shopper::new()?.push(&bank.await?, button).await?;
        Ok(())
    }

    /// Lets the sweeper tick until a payment is as it should be.
    async fn swept_until(
        &self,
        payment_id: &str,
        is_there: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        eventually(&format!("{payment_id} being learnt"), || async {
            invoke(&self.sandbox, "sweeper").await?;
            let payment = self.storefront.payment(payment_id).await?;
            Ok(is_there(&payment).then_some(payment))
        })
        .await
    }

    /// The payment as the table has it.
    async fn item(&self, payment_id: &str) -> anyhow::Result<String> {
        let ready = self.sandbox.ready();
        let pk = format!("payment#{}/{payment_id}", ready.project_id);
        let key = json!({ "pk": { "S": pk }, "sk": { "S": "payment" } });
        let parameters = json!({ "TableName": ready.table, "Key": key });
        let answer = call(&self.sandbox, "dynamodb", "get_item", &parameters).await?;
        ensure!(answer["Item"].is_object(), "{payment_id} is not there");
        Ok(answer["Item"].to_string())
    }

    async fn sales(&self, payment_id: &str) -> anyhow::Result<Value> {
        self.simulator.requests(payment_id, "sale").await
    }
}

#[tokio::test]
async fn everything_comes_to_its_end_without_a_callback() -> anyhow::Result<()> {
    let test = Test::start().await?;
    payments_and_refunds(&test).await?;
    requests_that_were_lost(&test).await?;
    links_that_nobody_used(&test).await?;
    nothing_is_left_to_ask(&test).await?;
    let log = e2e::logs::of_functions(&test.sandbox).await?;
    for metric in [
        "checkouts",
        "paid",
        "declined",
        "refunded",
        "failed",
        "sales_without_callback",
    ] {
        let is_counted = log.contains(&format!("\"{metric}\":1"));
        ensure!(is_counted, "{metric} is not counted");
    }
    test.sandbox.stop().await;
    Ok(())
}

async fn payments_and_refunds(test: &Test) -> anyhow::Result<()> {
    for (payment_id, button, status) in [
        ("paid", "pay", "succeeded"),
        ("declined", "decline", "declined"),
    ] {
        test.silent(payment_id, json!({})).await?;
        test.at_the_bank(payment_id, button).await?;
        test.swept_until(payment_id, |payment| payment["status"] == status)
            .await?;
    }
    let refund =
        json!({ "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "returned" });
    let (status, answer) = test.storefront.refund("paid", &refund).await?;
    ensure!(status == StatusCode::ACCEPTED, "{status} {answer}");
    let paid = test
        .swept_until("paid", |payment| payment["refunded_amount"] == 400)
        .await?;
    ensure!(paid["status"] == "partially_refunded", "{paid}");
    ensure!(paid["refunds"][0]["status"] == "succeeded", "{paid}");
    let events = Queue::new(test.sandbox.ready(), "fulfilment")?;
    events.until("paid", "refund.succeeded").await?;
    Ok(())
}

/// The request never arrived, or its answer did not: it arrives once in the end.
async fn requests_that_were_lost(test: &Test) -> anyhow::Result<()> {
    for (payment_id, answer, sales) in [("lost", "lost", 2), ("cut", "cut", 1)] {
        let once = json!({ "answer": answer, "answer_times": 1 });
        test.silent(payment_id, once).await?;
        let payment = test.storefront.payment(payment_id).await?;
        ensure!(payment["status"] == "processing", "{payment}");
        eventually("the sale arriving", || async {
            invoke(&test.sandbox, "sweeper").await?;
            let books = test.simulator.books(payment_id).await?;
            Ok(books["status"].is_string().then_some(()))
        })
        .await?;
        test.at_the_bank(payment_id, "pay").await?;
        test.swept_until(payment_id, |payment| payment["status"] == "succeeded")
            .await?;
        let sent = test.sales(payment_id).await?;
        ensure!(sent == sales, "{payment_id}: {sent} sales");
        let books = test.simulator.books(payment_id).await?;
        ensure!(books["paid"] == 1000, "{books}");
    }
    Ok(())
}

/// A link that nobody used, and a sale that never arrives at all.
async fn links_that_nobody_used(test: &Test) -> anyhow::Result<()> {
    for (payment_id, channel) in [("unused", "payment_page"), ("never", "gate")] {
        let lost = json!({ "drop": true, "answer": "lost" });
        test.simulator.fault(payment_id, lost).await?;
        let mut order = test.storefront.order(payment_id);
        order["channel"] = json!(channel);
        order["expires_in"] = json!(2);
        let (status, checkout) = test
            .storefront
            .call(Method::POST, "/checkouts", Some(&order))
            .await?;
        ensure!(status == StatusCode::CREATED, "{status} {checkout}");
        let failed = test
            .swept_until(payment_id, |payment| payment["status"] == "failed")
            .await?;
        ensure!(failed["decline"]["code"] == "expired", "{failed}");
        let events = Queue::new(test.sandbox.ready(), "audit")?;
        let events = events.until(payment_id, "payment.failed").await?;
        let last = events.last().context("no event")?;
        ensure!(last["data"]["decline"]["code"] == "expired", "{last}");
    }
    Ok(())
}

/// Of what is closed nothing is asked any more.
async fn nothing_is_left_to_ask(test: &Test) -> anyhow::Result<()> {
    let swept = invoke(&test.sandbox, "sweeper").await?;
    ensure!(swept["polled"]["found"] == 0, "{swept}");
    ensure!(swept["overdue"]["found"] == 0, "{swept}");
    Ok(())
}

/// A month is ten seconds here.
#[tokio::test]
async fn customers_are_forgotten_when_it_is_time() -> anyhow::Result<()> {
    let kept = ("CustomerRetentionSeconds".to_owned(), "10".to_owned());
    let test = Test::with(Options {
        parameters: [kept].into(),
        ..Options::any_ports()
    })
    .await?;
    let payments = ["open", "paid"];
    for payment_id in payments {
        test.silent(payment_id, json!({})).await?;
        let item = test.item(payment_id).await?;
        ensure!(knows_the_customer(&item), "{item}");
    }
    test.simulator.fault("paid", json!({})).await?;
    test.at_the_bank("paid", "pay").await?;
    test.storefront.until("paid", "succeeded").await?;

    let done = Cell::new(0);
    for payment_id in payments {
        eventually(
            &format!("the customer of {payment_id} forgotten"),
            || async {
                let swept = invoke(&test.sandbox, "sweeper").await?;
                ensure!(swept["erased"]["failed"] == 0, "{swept}");
                done.set(done.get() + swept["erased"]["done"].as_u64().unwrap_or(0));
                let item = test.item(payment_id).await?;
                Ok((!knows_the_customer(&item)).then_some(()))
            },
        )
        .await?;
    }
    ensure!(done.get() > 0, "no tick has told of them");
    let paid = test.storefront.payment("paid").await?;
    ensure!(paid["status"] == "succeeded", "{paid}");
    ensure!(paid["paid_amount"] == 1000, "{paid}");
    test.sandbox.stop().await;
    Ok(())
}

/// By the last name or the address of [`Storefront::order`].
fn knows_the_customer(item: &str) -> bool {
    item.contains("Janssens") || item.contains("192.0.2.10")
}
