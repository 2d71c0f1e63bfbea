//! Starts the system under test with a browser.

use std::path::Path;

use anyhow::{Context, ensure};
use e2e::queue::{Queue, types};
use e2e::storefront::checkout_url;
use e2e::system::System;
use e2e::{ensure_contains, eventually};
use sandbox::{Options, Ready, functions};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::chromium::Chromium;
use crate::tab::Tab;

/// The events of a payment that is paid at the first attempt.
pub const PAID: [&str; 3] = [
    "payment.created",
    "payment.awaiting_customer",
    "payment.succeeded",
];

pub struct Setup {
    pub system: System,
    chromium: Chromium,
    audit: Queue,
    /// The received events of all payments.
    events: Mutex<Vec<Value>>,
}

impl Setup {
    pub async fn start(program: &Path) -> anyhow::Result<Self> {
        let system = System::start(Options::any_ports()).await?;
        let profile = system.sandbox.file("chromium");
        let supervisor = system.sandbox.supervisor();
        Ok(Self {
            chromium: Chromium::start(program, supervisor, &profile).await?,
            audit: system.queue("audit")?,
            events: Mutex::default(),
            system,
        })
    }

    pub async fn stop(self) {
        self.chromium.stop().await;
        self.system.stop().await;
    }

    pub fn ready(&self) -> &Ready {
        self.system.ready()
    }

    /// Opens a URL in a new tab.
    pub async fn open(&self, address: &str) -> anyhow::Result<Tab> {
        let tab = Tab(self.chromium.open().await?);
        tab.bring_to_front().await?;
        tab.open(address).await?;
        Ok(tab)
    }

    pub async fn shop(&self) -> anyhow::Result<Tab> {
        self.open(&self.ready().shop).await
    }

    pub async fn open_checkout(&self, checkout: &Value) -> anyhow::Result<Tab> {
        self.open(checkout_url(checkout)?).await
    }

    /// Creates a checkout in English. `fields` are replaced or added in the request. The shop ships only payments whose
    /// id starts with `shop-`.
    pub async fn checkout(&self, payment_id: &str, mut fields: Value) -> anyhow::Result<Value> {
        fields["language"] = json!("en");
        let storefront = &self.system.storefront;
        storefront.create_with(payment_id, fields).await
    }

    /// Creates a checkout, and opens it in a new tab.
    pub async fn at_checkout(&self, payment_id: &str) -> anyhow::Result<Tab> {
        let checkout = self.checkout(payment_id, json!({})).await?;
        self.open_checkout(&checkout).await
    }

    /// Waits for the last expected event, and checks the types and the order of all events of the payment.
    pub async fn ensure_events(&self, payment_id: &str, expected: &[&str]) -> anyhow::Result<()> {
        let last = expected.last().context("no event is expected")?;
        let own = eventually(&format!("{last} of {payment_id}"), async || {
            let mut events = self.events.lock().await;
            events.extend(self.audit.drain().await?);
            let own = events.iter().filter(|event| event["subject"] == payment_id);
            let own: Vec<Value> = own.cloned().collect();
            Ok(types(&own).contains(last).then_some(own))
        })
        .await?;
        ensure!(types(&own) == expected, "{payment_id}: {own:?}");
        Ok(())
    }

    /// Returns the JSON of `operator show`.
    pub async fn operator_show(&self, payment_id: &str) -> anyhow::Result<Value> {
        let ready = self.system.sandbox.file("ready.json");
        std::fs::write(&ready, serde_json::to_vec(self.ready())?)?;
        let supervisor = self.system.sandbox.supervisor();
        let built = functions::build(supervisor, &["operator".to_owned()]).await?;
        let mut command = supervisor.command(&built["operator"]);
        command
            .args(["--sandbox", "show", "--project", "211"])
            .args([payment_id, "--json"])
            .env("SANDBOX_READY", ready);
        let (status, output) = supervisor.output(command).await?;
        ensure!(status.success(), "operator show {payment_id} failed");
        Ok(serde_json::from_slice(&output)?)
    }

    /// Pays on the bank page, and checks the result.
    pub async fn pay(&self, tab: &Tab, payment_id: &str) -> anyhow::Result<()> {
        tab.click("button#pay").await?;
        self.ensure_paid(tab, payment_id, 1000).await?;
        self.ensure_events(payment_id, &PAID).await
    }

    /// Checks that the shop ships the order, and that the payment was paid once.
    pub async fn ensure_paid(
        &self,
        tab: &Tab,
        payment_id: &str,
        amount: u64,
    ) -> anyhow::Result<()> {
        tab.shows("#payment", "succeeded").await?;
        tab.shows("#delivery", "on its way").await?;
        ensure!(tab.text("h1").await? == "Thank you");
        let payment = self.system.storefront.payment(payment_id).await?;
        let paid = json!({ "status": "succeeded", "paid_amount": amount });
        ensure_contains(&payment, paid)?;
        let records = self.system.simulator.records(payment_id).await?;
        ensure_contains(&records, json!({ "paid": amount }))?;
        let operations = records["operations"].as_array().map(Vec::len);
        ensure!(operations == Some(1), "{records}");
        Ok(())
    }
}
