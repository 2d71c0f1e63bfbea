//! The platform's books held against ours, through everything that is deployed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::operator::{Permissions, invoke, invoke_with};
use e2e::queue::Queue;
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use ecommpay::{ProjectKey, signature};
use payments::Timestamp;
use reqwest::Client;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

/// A payment that was made at the platform and not here.
const ELSEWHERE: &str = "made elsewhere, 1";

struct Test {
    sandbox: Sandbox,
    storefront: Storefront,
    simulator: Simulator,
    shopper: Shopper,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options::any_ports()).await?;
        Ok(Self {
            storefront: Storefront::new(sandbox.ready())?,
            simulator: Simulator::new(sandbox.ready())?,
            shopper: Shopper::new()?,
            sandbox,
        })
    }

    /// A payment whose shopper is at the bank; gives the bank's address.
    async fn at_bank(&self, payment_id: &str) -> anyhow::Result<String> {
        let checkout = self.storefront.create(payment_id).await?;
        let address = checkout["checkout_url"].as_str().context("no address")?;
        self.shopper.bank_of(address).await
    }

    async fn paid(&self, payment_id: &str) -> anyhow::Result<()> {
        let bank = self.at_bank(payment_id).await?;
        self.shopper.push(&bank, "pay").await?;
        self.storefront.until(payment_id, "succeeded").await?;
        Ok(())
    }

    async fn drop_callbacks(&self, payment_id: &str) -> anyhow::Result<()> {
        let lost = json!({ "drop": true });
        self.simulator.fault(payment_id, lost).await
    }

    /// A sale that somebody else sends to Gate, of so little that it is declined.
    async fn sell_elsewhere(&self) -> anyhow::Result<()> {
        let ready = self.sandbox.ready();
        let mut sale = json!({
            "general": { "project_id": ready.project_id, "payment_id": ELSEWHERE },
            "payment": { "amount": 50, "currency": "EUR" },
            "customer": { "id": "c", "ip_address": "192.0.2.1", "last_name": "Peeters" },
            "return_url": { "return": "https://shop.example/return" },
        });
        let key = ProjectKey::new(&ready.project_key)?;
        let signed = key.sign(&signature::canonical_of(&sale)?);
        sale["general"]["signature"] = signed.to_base64().into();
        let url = format!("{}/v2/payment/bancontact/sale", ready.platform);
        let http = Client::builder().no_proxy().build()?;
        let answer = http.post(url).json(&sale).send().await?;
        ensure!(answer.status() == 200, "{}", answer.text().await?);
        Ok(())
    }

    /// Waits until the platform's books have an operation in a status.
    async fn until_books(&self, id: &str, kind: &str, status: &str) -> anyhow::Result<()> {
        eventually(&format!("a {kind} of {id} becoming {status}"), || async {
            let books = self.simulator.books(id).await?;
            let operations = books["operations"].as_array().cloned().unwrap_or_default();
            let mut operations = operations.iter();
            let is = |one: &&Value| one["type"] == kind && one["status"] == status;
            Ok(operations.find(is).map(|_| ()))
        })
        .await
    }

    /// Compares the last half hour; gives what came of it.
    async fn compare(&self) -> anyhow::Result<Value> {
        let now = Timestamp::now();
        let event = json!({
            "project_id": self.sandbox.ready().project_id,
            "from": now.before(Duration::from_secs(1_800)),
            "to": now,
        });
        let summary = invoke_with(&self.sandbox, "reconcile", &event).await?;
        let project = summary["projects"][0].clone();
        ensure!(
            project["failed"] == 0 && project["in_time"] == true,
            "{summary}"
        );
        Ok(project)
    }
}

fn counts(project: &Value) -> Vec<u64> {
    ["missing_locally", "missing_at_platform", "status", "amount"]
        .map(|name| project[name].as_u64().unwrap_or(u64::MAX))
        .into()
}

/// What was announced of differences, by payment.
fn differences(events: &[Value]) -> BTreeMap<&str, Vec<&Value>> {
    let mut found = BTreeMap::<&str, Vec<&Value>>::new();
    for event in events {
        if event["type"] == "reconciliation.difference" {
            let payment = event["subject"].as_str().unwrap_or_default();
            found.entry(payment).or_default().push(&event["data"]);
        }
    }
    found
}

#[tokio::test]
async fn what_differs_is_announced_once_and_healed() -> anyhow::Result<()> {
    let test = Test::start().await?;
    // Nothing is asked before the books are compared.
    let sweeper = Permissions::of(&test.sandbox, "sweeper").await?;
    sweeper.take("/index/next").await?;

    for payment in ["same", "lacking", "unlisted", "other"] {
        test.paid(payment).await?;
    }
    // A refund in the Dashboard, and the end of a sale, of which no callback tells.
    test.drop_callbacks("lacking").await?;
    let refund = json!({ "amount": 400 });
    test.simulator.refund("lacking", refund).await?;
    let bank = test.at_bank("lost").await?;
    test.drop_callbacks("lost").await?;
    test.shopper.push(&bank, "pay").await?;
    test.drop_callbacks(ELSEWHERE).await?;
    test.sell_elsewhere().await?;
    for (payment, kind, status) in [
        ("lacking", "refund", "success"),
        ("lost", "sale", "success"),
        (ELSEWHERE, "sale", "decline"),
    ] {
        test.until_books(payment, kind, status).await?;
    }
    for (payment, faults) in [
        ("unlisted", json!({ "unlisted": ["sale"] })),
        ("other", json!({ "listed_amount": 900 })),
    ] {
        test.simulator.fault(payment, faults).await?;
    }

    let first = test.compare().await?;
    ensure!(counts(&first) == [2, 1, 1, 1], "{first}");
    ensure!(first["compared"] == 6, "{first}");
    let told = ["lacking", "unlisted", "other", "lost", ELSEWHERE]
        .map(|payment| (payment, "reconciliation.difference"));
    let audit = Queue::new(test.sandbox.ready(), "audit")?;
    let events = audit.until_all(&told).await?;
    let found = differences(&events);
    for (payment, kind, local, platform) in [
        (
            "lost",
            "status",
            json!("awaiting redirect result"),
            json!("success"),
        ),
        ("other", "amount", json!(1000), json!(900)),
    ] {
        let expected = json!({ "kind": kind, "local": local, "platform": platform });
        ensure!(found[payment][0]["difference"] == expected, "{found:?}");
    }
    for (payment, kind) in [
        ("lacking", "missing_locally"),
        (ELSEWHERE, "missing_locally"),
        ("unlisted", "missing_at_platform"),
    ] {
        let difference = &found[payment][0]["difference"];
        ensure!(difference["kind"] == kind, "{payment}: {difference}");
    }
    ensure!(found.values().all(|events| events.len() == 1), "{found:?}");

    let again = test.compare().await?;
    ensure!(counts(&again) == [0; 4], "{again}");

    // The questions that follow heal what can be healed.
    sweeper.give_back().await?;
    eventually("no question left", || async {
        let run = invoke(&test.sandbox, "sweeper").await?;
        Ok((run["polled"]["found"] == 0 && run["polled"]["failed"] == 0).then_some(()))
    })
    .await?;
    let lacking = test
        .storefront
        .until("lacking", "partially_refunded")
        .await?;
    ensure!(lacking["refunded_amount"] == 400, "{lacking}");
    test.storefront.until("lost", "succeeded").await?;
    let elsewhere = test.storefront.payment(ELSEWHERE).await?;
    ensure!(elsewhere["status"] == "unmatched", "{elsewhere}");
    ensure!(
        elsewhere["operations"][0]["status"] == "declined",
        "{elsewhere}"
    );
    for payment in ["same", "unlisted", "other"] {
        let payment = test.storefront.payment(payment).await?;
        ensure!(payment["status"] == "succeeded", "{payment}");
        ensure!(payment["paid_amount"] == 1000, "{payment}");
    }

    let healed = test.compare().await?;
    ensure!(counts(&healed) == [0; 4], "{healed}");
    let events = audit.drain().await?;
    ensure!(differences(&events).is_empty(), "{events:?}");
    let fulfilment = Queue::new(test.sandbox.ready(), "fulfilment")?;
    let events = fulfilment.drain().await?;
    ensure!(differences(&events).is_empty(), "{events:?}");
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_daily_run_goes_on_where_it_ended() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::any_ports()).await?;
    let run = || async {
        let summary = invoke(&sandbox, "reconcile").await?;
        let project = summary["projects"][0].clone();
        ensure!(project["failed"] == 0, "{summary}");
        ensure!(project["in_time"] == true, "{summary}");
        let until = project["until"].clone();
        let days = summary["reports"][0]["days"].clone();
        Ok((serde_json::from_value::<Timestamp>(until)?, days))
    };
    let (until, days) = run().await?;
    ensure!(
        days == 1,
        "the day before is reported, and no other: {days}"
    );
    let settled = Timestamp::now().before(Duration::from_secs(3 * 3_600));
    ensure!(until <= settled && settled.since(until) <= Duration::from_secs(3_600));
    let (again, days) = run().await?;
    ensure!(
        again >= until && days == 0,
        "{days} days are reported again"
    );

    for event in [
        json!({ "project_id": 211, "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }),
        json!({ "project": 211 }),
    ] {
        let refused = invoke_with(&sandbox, "reconcile", &event).await;
        ensure!(refused.is_err(), "{event} was taken");
    }
    let range = json!({
        "project_id": 212, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z",
    });
    let summary = invoke_with(&sandbox, "reconcile", &range).await?;
    let failure = summary["failure"].as_str().unwrap_or_default();
    ensure!(failure.contains("no key of project 212"), "{summary}");

    // A token that cannot be read does not hide what was reported; the project's key is remembered.
    let permissions = Permissions::of(&sandbox, "reconcile").await?;
    permissions.take("secretsmanager:GetSecretValue").await?;
    let summary = invoke(&sandbox, "reconcile").await?;
    ensure!(summary["failure"].is_string(), "{summary}");
    ensure!(summary["reports"][0]["in_time"] == true, "{summary}");
    permissions.give_back().await?;

    let log = e2e::logs::of_functions(&sandbox).await?;
    for part in [
        "reconcile: done",
        "report of a day",
        "reconciliation_lag_s",
        "report_lag_s",
        "reconcile: some failed",
    ] {
        ensure!(log.contains(part), "the log has no {part}");
    }
    for secret in ["sandboxDataApiToken", "test-data-api-key"] {
        ensure!(!log.contains(secret), "the log has {secret}");
    }
    sandbox.stop().await;
    Ok(())
}
