//! Refunds through everything that is deployed: in parts, whole, refused, lost, from the Dashboard,
//! and many at once.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::operator::invoke;
use e2e::queue::Queue;
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use futures_util::future::try_join_all;
use reqwest::StatusCode;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

struct Test {
    sandbox: Sandbox,
    storefront: Storefront,
    simulator: Simulator,
}

fn part(refund_id: &str, amount: u64) -> Value {
    json!({ "refund_id": refund_id, "amount": amount, "currency": "EUR", "description": "returned" })
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        // Whatever is open is asked about at each tick.
        let sandbox = Sandbox::start(Options {
            divide_times: 3_600,
            ..Options::any_ports()
        })
        .await?;
        Ok(Self {
            storefront: Storefront::new(sandbox.ready())?,
            simulator: Simulator::new(sandbox.ready())?,
            sandbox,
        })
    }

    /// A payment of 10.00 EUR.
    async fn paid(&self, payment_id: &str) -> anyhow::Result<()> {
        let checkout = self.storefront.create(payment_id).await?;
        let address = checkout["checkout_url"].as_str().context("no address")?;
        let shopper = Shopper::new()?;
        let bank = shopper.bank_of(address).await?;
        shopper.push(&bank, "pay").await?;
        self.storefront.until(payment_id, "succeeded").await?;
        Ok(())
    }

    async fn refund(
        &self,
        payment_id: &str,
        refund: Value,
        expected: u16,
    ) -> anyhow::Result<Value> {
        let (status, answer) = self.storefront.refund(payment_id, &refund).await?;
        ensure!(status == expected, "{payment_id}: {status} {answer}");
        Ok(answer)
    }

    /// Waits until so much went back and nothing is held any more, here and on the platform.
    async fn went_back(&self, payment_id: &str, amount: u64) -> anyhow::Result<Value> {
        let what = format!("{amount} of {payment_id} going back");
        let payment = eventually(&what, || async {
            let payment = self.storefront.payment(payment_id).await?;
            let is_there =
                payment["refunded_amount"] == amount && payment["pending_refund_amount"] == 0;
            Ok(is_there.then_some(payment))
        })
        .await?;
        let books = self.simulator.books(payment_id).await?;
        ensure!(books["refunded"] == amount, "{books}");
        Ok(payment)
    }
}

/// The refund operations in the platform's books.
fn refunds(books: &Value) -> Vec<&Value> {
    let operations = books["operations"].as_array();
    let is_refund = |one: &&Value| one["type"] != "sale";
    operations.into_iter().flatten().filter(is_refund).collect()
}

async fn parts_and_the_rest(test: &Test) -> anyhow::Result<()> {
    test.paid("parts").await?;
    test.refund("parts", part("r-1", 300), 202).await?;
    test.refund("parts", part("r-2", 200), 202).await?;
    let rest = json!({ "refund_id": "r-3", "description": "the rest" });
    let rest = test.refund("parts", rest, 202).await?;
    ensure!(rest["amount"] == 500, "{rest}");
    let payment = test.went_back("parts", 1000).await?;
    ensure!(payment["status"] == "refunded", "{payment}");
    test.refund("parts", part("r-4", 1), 409).await?;
    let again = test.refund("parts", part("R-1", 300), 202).await?;
    ensure!(again["status"] == "succeeded", "{again}");
    test.refund("parts", part("r-1", 301), 409).await?;

    Ok(())
}

async fn whole(test: &Test) -> anyhow::Result<()> {
    test.paid("whole").await?;
    let all = json!({ "refund_id": "r-1", "description": "all of it" });
    let refund = test.refund("whole", all.clone(), 202).await?;
    ensure!(refund["amount"] == 1000, "{refund}");
    test.went_back("whole", 1000).await?;
    let again = test.refund("whole", all, 202).await?;
    ensure!(again["amount"] == 1000, "{again}");
    let books = test.simulator.books("whole").await?;
    ensure!(refunds(&books).len() == 1, "{books}");
    Ok(())
}

async fn more_than_the_platform_has_left(test: &Test) -> anyhow::Result<()> {
    test.paid("dashboard").await?;
    test.refund("dashboard", part("too-much", 1001), 422)
        .await?;
    // Nobody tells us of what is done in the Dashboard meanwhile.
    test.simulator
        .fault("dashboard", json!({ "drop": true }))
        .await?;
    test.simulator
        .refund("dashboard", json!({ "amount": 700 }))
        .await?;
    test.refund("dashboard", part("r-1", 400), 202).await?;
    let payment = eventually("the refusal", || async {
        invoke(&test.sandbox, "sweeper").await?;
        let payment = test.storefront.payment("dashboard").await?;
        Ok((payment["refunds"][0]["status"] == "declined").then_some(payment))
    })
    .await?;
    ensure!(
        payment["refunds"][0]["decline"]["code"] == "3283",
        "{payment}"
    );
    ensure!(payment["refunds"][1]["refund_id"].is_null(), "{payment}");
    ensure!(payment["refunded_amount"] == 700, "{payment}");
    ensure!(payment["refundable_amount"] == 300, "{payment}");
    Ok(())
}

/// Gate does not answer: once the request had arrived, once it had not.
async fn lost_on_the_way(test: &Test) -> anyhow::Result<()> {
    for (payment_id, answer) in [("arrived", "cut"), ("lost", "lost")] {
        test.paid(payment_id).await?;
        let fault =
            json!({ "answer": answer, "answer_times": 1, "answer_to": ["refund"], "drop": true });
        test.simulator.fault(payment_id, fault).await?;
        let refund = test.refund(payment_id, part("r-1", 400), 202).await?;
        ensure!(refund["status"] == "unknown", "{payment_id}: {refund}");
        let again = test.refund(payment_id, part("r-1", 400), 202).await?;
        ensure!(again["status"] == "unknown", "{payment_id}: {again}");
        test.simulator.fault(payment_id, json!({})).await?;
    }
    // What had arrived is never sent again; what had not is, with its own id.
    for payment_id in ["arrived", "lost"] {
        let books = eventually("the refund in the books", || async {
            invoke(&test.sandbox, "sweeper").await?;
            let books = test.simulator.books(payment_id).await?;
            Ok((books["refunded"] == 400).then_some(books))
        })
        .await?;
        let refunds = refunds(&books);
        ensure!(refunds.len() == 1, "{payment_id}: {books}");
        ensure!(refunds[0]["merchant_refund_id"] == "r-1", "{books}");
    }
    let payment = test.went_back("lost", 400).await?;
    ensure!(payment["refunds"][0]["status"] == "succeeded", "{payment}");
    Ok(())
}

async fn many_at_once(test: &Test) -> anyhow::Result<()> {
    test.paid("crowd").await?;
    let all = (0..20).map(|number| async move {
        let refund = part(&format!("r-{number}"), 100);
        // Whoever finds too many others at it comes again.
        eventually("an answer", || async {
            let (status, _) = test.storefront.refund("crowd", &refund).await?;
            Ok((status != StatusCode::SERVICE_UNAVAILABLE).then_some(status))
        })
        .await
    });
    let answers = try_join_all(all).await?;
    let taken = answers
        .iter()
        .filter(|status| **status == StatusCode::ACCEPTED);
    ensure!(taken.count() == 10, "{answers:?}");
    let refused = |status: &StatusCode| [409, 422].contains(&status.as_u16());
    ensure!(
        answers.iter().filter(|status| refused(status)).count() == 10,
        "{answers:?}"
    );
    test.went_back("crowd", 1000).await?;
    ensure!(refunds(&test.simulator.books("crowd").await?).len() == 10);
    Ok(())
}

/// Whoever only reads the events of `fulfilment` knows the ledger of each payment.
async fn ledgers_of_events(test: &Test) -> anyhow::Result<()> {
    let fulfilment = Queue::new(test.sandbox.ready(), "fulfilment")?;
    let mut ledgers = BTreeMap::<String, (Value, BTreeMap<String, u64>)>::new();
    for event in fulfilment.drain().await? {
        let payment_id = event["subject"].as_str().context("no subject")?;
        let (paid, went_back) = ledgers.entry(payment_id.to_owned()).or_default();
        match event["type"].as_str() {
            Some("payment.succeeded") => *paid = event["data"]["operation"]["amount"].clone(),
            Some("refund.succeeded") => {
                let refund = &event["data"]["refund"];
                let operation = refund["operation_id"].as_str().context("no operation")?;
                let amount = refund["amount"].as_u64().context("no amount")?;
                went_back.insert(operation.to_owned(), amount);
            }
            _ => {}
        }
    }
    ensure!(ledgers.len() >= 5, "{ledgers:?}");
    for (payment_id, (paid, went_back)) in &ledgers {
        let payment = test.storefront.payment(payment_id).await?;
        ensure!(payment["paid_amount"] == *paid, "{paid}: {payment}");
        let went_back: u64 = went_back.values().sum();
        ensure!(
            payment["refunded_amount"] == went_back,
            "{went_back}: {payment}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn refunds_are_made_once_and_never_exceed_the_payment() -> anyhow::Result<()> {
    let test = Test::start().await?;
    parts_and_the_rest(&test).await.context("parts")?;
    whole(&test).await.context("whole")?;
    more_than_the_platform_has_left(&test)
        .await
        .context("dashboard")?;
    lost_on_the_way(&test).await.context("lost")?;
    many_at_once(&test).await.context("crowd")?;
    ledgers_of_events(&test).await.context("events")?;
    test.sandbox.stop().await;
    Ok(())
}
