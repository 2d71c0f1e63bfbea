//! One sandbox and one browser for all walks.

use std::path::Path;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::queue::Queue;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use reqwest::{Method, StatusCode};
use sandbox::{Options, Ready, Sandbox, functions};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::chromium::Chromium;
use crate::tab::Tab;

/// A running sandbox with a browser before it.
pub struct Stage {
    sandbox: Sandbox,
    chromium: Chromium,
    pub storefront: Storefront,
    pub simulator: Simulator,
    audit: Queue,
    /// All events so far, whatever they are about.
    events: Mutex<Vec<Value>>,
}

impl Stage {
    /// Starts both.
    pub async fn start(program: &Path) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options::any_ports()).await?;
        let profile = sandbox.file("chromium");
        let chromium = Chromium::start(program, sandbox.supervisor(), &profile).await?;
        Ok(Self {
            chromium,
            storefront: Storefront::new(sandbox.ready())?,
            simulator: Simulator::new(sandbox.ready())?,
            audit: Queue::new(sandbox.ready(), "audit")?,
            events: Mutex::default(),
            sandbox,
        })
    }

    /// Stops both and waits until they are gone.
    pub async fn stop(self) {
        self.chromium.stop().await;
        self.sandbox.stop().await;
    }

    /// Where everything is.
    pub fn ready(&self) -> &Ready {
        self.sandbox.ready()
    }

    /// A new tab.
    pub async fn tab(&self) -> anyhow::Result<Tab> {
        Ok(Tab(self.chromium.open("about:blank").await?))
    }

    /// A new tab in front of the shop's goods.
    pub async fn shop(&self) -> anyhow::Result<Tab> {
        let tab = self.tab().await?;
        tab.open(&self.ready().shop).await?;
        Ok(tab)
    }

    /// Creates a checkout with some fields of its own; gives the API's answer. The payment's id
    /// begins with `shop-`, so that the shop ships it when the queue `fulfilment` says so.
    pub async fn checkout(&self, payment_id: &str, fields: &Value) -> anyhow::Result<Value> {
        let mut order = self.storefront.order(payment_id);
        order["language"] = json!("en");
        for (name, value) in fields.as_object().into_iter().flatten() {
            order[name] = value.clone();
        }
        let (status, checkout) = self
            .storefront
            .call(Method::POST, "/checkouts", Some(&order))
            .await?;
        ensure!(status == StatusCode::CREATED, "{status} {checkout}");
        Ok(checkout)
    }

    /// Creates a checkout and opens it in a new tab.
    pub async fn at_checkout(&self, payment_id: &str) -> anyhow::Result<Tab> {
        let checkout = self.checkout(payment_id, &Value::Null).await?;
        let tab = self.tab().await?;
        tab.open(address(&checkout)?).await?;
        Ok(tab)
    }

    /// Waits for the last event of a payment; the kinds of all must be these, in order.
    pub async fn announced(&self, payment_id: &str, expected: &[&str]) -> anyhow::Result<()> {
        let last = expected.last().context("nothing is expected")?;
        let kinds = eventually(&format!("{last} of {payment_id}"), || async {
            let mut events = self.events.lock().await;
            events.extend(self.audit.drain().await?);
            let own = events.iter().filter(|event| event["subject"] == payment_id);
            let kinds: Vec<String> = own
                .filter_map(|event| event["type"].as_str().map(str::to_owned))
                .collect();
            Ok(kinds.iter().any(|kind| kind == last).then_some(kinds))
        })
        .await?;
        ensure!(kinds == expected, "{payment_id} was announced as {kinds:?}");
        Ok(())
    }

    /// What `operator show` says about a payment.
    pub async fn shown_to_operator(&self, payment_id: &str) -> anyhow::Result<Value> {
        let ready = self.sandbox.file("ready.json");
        std::fs::write(&ready, serde_json::to_vec(self.ready())?)?;
        let supervisor = self.sandbox.supervisor();
        let built = functions::build(supervisor, &["operator".to_owned()]).await?;
        let mut command = supervisor.command(&built["operator"]);
        command
            .args([
                "--sandbox",
                "show",
                "--project",
                "211",
                payment_id,
                "--json",
            ])
            .env("SANDBOX_READY", ready);
        let (status, output) = supervisor.output(command).await?;
        ensure!(status.success(), "operator show {payment_id} failed");
        Ok(serde_json::from_slice(&output)?)
    }

    /// A payment that was paid once, for this amount: by the API, by the platform's books, by the
    /// events, and by the shop, which ships what the queue `fulfilment` tells it to.
    pub async fn is_paid(&self, tab: &Tab, payment_id: &str, amount: u64) -> anyhow::Result<()> {
        tab.shows("#payment", "succeeded").await?;
        tab.shows("#delivery", "on its way").await?;
        ensure!(tab.text("h1").await? == "Thank you");
        let payment = self.storefront.payment(payment_id).await?;
        ensure!(payment["status"] == "succeeded", "{payment}");
        ensure!(payment["paid_amount"] == amount, "{payment}");
        let books = self.simulator.books(payment_id).await?;
        ensure!(books["paid"] == amount, "{books}");
        let operations = books["operations"].as_array();
        ensure!(operations.is_some_and(|all| all.len() == 1), "{books}");
        Ok(())
    }
}

/// The shopper's address of a checkout.
pub fn address(checkout: &Value) -> anyhow::Result<&str> {
    checkout["checkout_url"].as_str().context("no address")
}
