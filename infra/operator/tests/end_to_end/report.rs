//! The report of the real binary against the books of the simulated platform.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::queue::Queue;
use e2e::stage::Stage;
use payments::Timestamp;
use payments::model::day::Day;
use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::binary::operator;

const PAYMENTS: [&str; 5] = ["paid", "again", "declined", "refunded", "open"];

/// How many, and their sum, by type and status.
type Sums = BTreeMap<(String, String), (u64, u64)>;

struct Test(Stage);

impl Test {
    /// A payment of an order, whose shopper pushes a button at the bank, or none.
    async fn payment(&self, id: &str, order_id: &str, button: Option<&str>) -> anyhow::Result<()> {
        let bank = self.0.at_bank_for(id, order_id).await?;
        if let Some(button) = button {
            self.0.shopper.push(&bank, button).await?;
        }
        Ok(())
    }

    async fn report(&self, what: &str, more: &[&str]) -> anyhow::Result<String> {
        let project = self.0.sandbox.ready().project_id.to_string();
        // Midnight may pass meanwhile.
        let now = Timestamp::now();
        let from = Day::of(now.before(Duration::from_secs(3_600))).to_string();
        let to = Day::of(now).to_string();
        let mut args = vec!["--sandbox", "report", what, "--project", &project];
        args.extend(["--from", &from, "--to", &to]);
        args.extend(more);
        let output = operator(&self.0.sandbox, &args, "").await?;
        let told = String::from_utf8(output.stderr)?;
        ensure!(output.status.success() && told.is_empty(), "{told}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The operations in the platform's books.
    async fn books(&self) -> anyhow::Result<Sums> {
        let mut sums = Sums::new();
        for payment in PAYMENTS {
            let books = self.0.simulator.books(payment).await?;
            for operation in books["operations"].as_array().context("no operations")? {
                let status = match operation["status"].as_str() {
                    Some("success") => "succeeded",
                    Some("decline") => "declined",
                    _ => "pending",
                };
                let amount = operation["amount"].as_u64().context("no amount")?;
                add(&mut sums, &operation["type"], status, 1, amount);
            }
        }
        Ok(sums)
    }
}

fn add(sums: &mut Sums, of: &Value, status: &str, count: u64, amount: u64) {
    let of = of.as_str().unwrap_or_default().to_owned();
    let sum = sums.entry((of, status.to_owned())).or_default();
    *sum = (sum.0 + count, sum.1 + amount);
}

fn lines(json_lines: &str) -> anyhow::Result<Vec<Value>> {
    let lines = json_lines.lines().map(serde_json::from_str);
    Ok(lines.collect::<Result<_, _>>()?)
}

#[tokio::test]
async fn the_totals_are_those_of_the_platforms_books() -> anyhow::Result<()> {
    let test = Test(Stage::start(Options::any_ports()).await?);
    let empty = test.report("payments", &[]).await?;
    ensure!(empty.starts_with("day,project_id,payment_id") && empty.lines().count() == 1);

    test.payment("paid", "order-1", Some("pay")).await?;
    test.0.storefront.until("paid", "succeeded").await?;
    test.payment("again", "ORDER-1", Some("pay")).await?;
    test.payment("declined", "order-2", Some("decline")).await?;
    test.payment("refunded", "order-3", Some("pay")).await?;
    test.payment("open", "order-4", None).await?;
    test.0.storefront.until("refunded", "succeeded").await?;
    let order =
        json!({ "refund_id": "r-1", "amount": 300, "currency": "EUR", "description": "returned" });
    let path = "/payments/refunded/refunds";
    let (status, refund) = test
        .0
        .storefront
        .call(Method::POST, path, Some(&order))
        .await?;
    ensure!(status == 202, "{refund}");
    test.0
        .simulator
        .refund("refunded", json!({ "amount": 100 }))
        .await?;
    eventually("both refunds", || async {
        let payment = test.0.storefront.payment("refunded").await?;
        Ok((payment["refunded_amount"] == 400).then_some(()))
    })
    .await?;
    test.0.storefront.until("declined", "declined").await?;

    // The second payment of the order is told, and to fulfilment.
    let fulfilment = Queue::new(test.0.sandbox.ready(), "fulfilment")?;
    let events = fulfilment.until("again", "order.paid_twice").await?;
    let told = events
        .iter()
        .find(|event| event["type"] == "order.paid_twice");
    let others = told.map(|event| &event["data"]["other_payment_ids"]);
    ensure!(others == Some(&json!(["paid"])), "{events:?}");

    let totals = lines(&test.report("totals", &["--json"]).await?)?;
    let mut operations = Sums::new();
    let mut payments = Sums::new();
    for row in &totals {
        let (count, amount) = (&row["count"], &row["amount"]);
        let (count, amount) = count.as_u64().zip(amount.as_u64()).context("no numbers")?;
        let status = row["status"].as_str().context("no status")?;
        let sums = match row["of"] == "payment" {
            true => &mut payments,
            false => &mut operations,
        };
        add(sums, &row["of"], status, count, amount);
    }
    ensure!(operations == test.books().await?, "{totals:?}");
    let status = |status: &str| payments.get(&("payment".to_owned(), status.to_owned()));
    for (of, count) in [
        ("succeeded", 2),
        ("declined", 1),
        ("partially_refunded", 1),
        ("awaiting_customer", 1),
    ] {
        ensure!(
            status(of) == Some(&(count, count * 1000)),
            "{of}: {totals:?}"
        );
    }

    // The same as CSV, and row by row.
    let csv = test.report("totals", &[]).await?;
    ensure!(csv.lines().count() == totals.len() + 1, "{csv}");
    ensure!(
        csv.starts_with("day,of,status,code,currency,count,amount\n"),
        "{csv}"
    );
    let csv = test.report("payments", &[]).await?;
    let declined = csv.lines().find(|line| line.contains(",declined,order-2,"));
    let declined = declined.context("no row of the declined payment")?;
    ensure!(declined.contains(",gate,EUR,1000,0,0,0,"), "{declined}");
    let rows = lines(&test.report("operations", &["--json"]).await?)?;
    let refunds = rows.iter().filter(|row| row["type"] == "refund");
    let ids: Vec<&Value> = refunds.map(|row| &row["refund_id"]).collect();
    ensure!(ids.len() == 2 && ids.contains(&&json!("r-1")), "{rows:?}");
    let personal = rows.iter().any(|row| row.to_string().contains("192.0.2."));
    ensure!(!personal, "{rows:?}");
    refuses(&test).await?;
    test.0.sandbox.stop().await;
    Ok(())
}

/// What cannot be is told in a sentence.
async fn refuses(test: &Test) -> anyhow::Result<()> {
    let range = |from, to| {
        [
            "report",
            "totals",
            "--project",
            "211",
            "--from",
            from,
            "--to",
            to,
        ]
    };
    for (args, why) in [
        (range("2026-02-02", "2026-02-01"), "is after the last"),
        (range("2026-02-30", "2026-03-01"), "not a day like"),
        (range("2026-01-01", "9999-01-01"), "still to come"),
    ] {
        let args = [&["--sandbox"][..], &args].concat();
        let output = operator(&test.0.sandbox, &args, "").await?;
        let told = String::from_utf8(output.stderr)?;
        ensure!(
            !output.status.success() && told.contains(why),
            "{why}: {told}"
        );
    }
    let range = range("2026-01-01", "2026-01-02");
    let output = operator(&test.0.sandbox, &range, "").await?;
    let told = String::from_utf8(output.stderr)?;
    ensure!(
        !output.status.success() && told.contains("--stack"),
        "{told}"
    );
    Ok(())
}
