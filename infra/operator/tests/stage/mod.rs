//! A sandbox with payments, and the real binary to look at them.
#![allow(clippy::indexing_slicing)]

use std::process::{Output, Stdio};

use anyhow::{Context, ensure};
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use reqwest::Method;
use sandbox::{Options, Sandbox};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

pub struct Stage {
    pub sandbox: Sandbox,
    pub storefront: Storefront,
    pub simulator: Simulator,
    pub shopper: Shopper,
}

impl Stage {
    pub async fn start() -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options::any_ports()).await?;
        Ok(Self {
            storefront: Storefront::new(sandbox.ready())?,
            simulator: Simulator::new(sandbox.ready())?,
            shopper: Shopper::new()?,
            sandbox,
        })
    }

    /// A payment of an order, whose shopper pushes a button at the bank, or none.
    pub async fn payment(
        &self,
        id: &str,
        order_id: &str,
        button: Option<&str>,
    ) -> anyhow::Result<()> {
        let mut order = self.storefront.order(id);
        order["order_id"] = order_id.into();
        let created = self
            .storefront
            .call(Method::POST, "/checkouts", Some(&order));
        let (status, checkout) = created.await?;
        ensure!(status == 201, "{checkout}");
        let address = checkout["checkout_url"].as_str().context("no address")?;
        let bank = self.shopper.bank_of(address).await?;
        if let Some(button) = button {
            self.shopper.push(&bank, button).await?;
        }
        Ok(())
    }

    /// Runs the binary, which reads what it is given.
    pub async fn operator(&self, args: &[&str], input: &str) -> anyhow::Result<Output> {
        let ready = self.sandbox.file("ready.json");
        std::fs::write(&ready, serde_json::to_vec(self.sandbox.ready())?)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
        let mut child = command
            .args(args)
            .env("SANDBOX_READY", ready)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        // Who is refused early reads nothing.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        Ok(child.wait_with_output().await?)
    }
}
