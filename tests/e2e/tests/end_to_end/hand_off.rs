//! How long the bank's address is known before a waiting shopper is sent there: it is measured.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use e2e::{PATIENCE, eventually, logs};
use reqwest::Client;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tokio::time::Instant;

/// So many lines are looked at.
const WANTED: usize = 5;

#[tokio::test]
async fn a_hand_off_after_waiting_is_measured() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::any_ports()).await?;
    let redirects = reqwest::redirect::Policy::none();
    let http = Client::builder().no_proxy().redirect(redirects).build()?;
    let storefront = Storefront::new(sandbox.ready())?;
    let simulator = Simulator::new(sandbox.ready())?;

    // Whether the function waits already when the news come is up to the machine, so this is
    // repeated until there are enough lines.
    let end = Instant::now() + 2 * PATIENCE;
    let mut tokens = Vec::new();
    let lines = loop {
        let payment_id = format!("waits-{}", tokens.len());
        simulator
            .fault(&payment_id, json!({ "hold": true }))
            .await?;
        let checkout = storefront.create(&payment_id).await?;
        let address = checkout["checkout_url"].as_str().context("no address")?;
        let shopper = tokio::spawn(http.get(address).send());
        // At another point of the function's own pauses each time.
        let pause = 600 + 70 * (tokens.len() as u64 % 5);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        simulator.fault(&payment_id, json!({})).await?;
        let answer = shopper.await??;
        ensure!(
            [200, 303].contains(&answer.status().as_u16()),
            "{}",
            answer.status()
        );
        tokens.extend(address.rsplit('/').next().map(str::to_owned));
        let lines = hand_offs(&sandbox).await?;
        if lines.len() >= WANTED {
            break lines;
        }
        ensure!(Instant::now() < end, "only {lines:?}");
    };

    for line in &lines {
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        ensure!(
            metrics["Metrics"]
                == json!([{ "Name": "redirect_latency_ms", "Unit": "Milliseconds" }]),
            "{line}"
        );
        ensure!(line["redirect_latency_ms"].is_u64(), "{line}");
        let text = line.to_string();
        for private in tokens
            .iter()
            .map(String::as_str)
            .chain(["Janssens", "192.0.2.10"])
        {
            ensure!(!text.contains(private), "{private} is in {line}");
        }
    }
    let mut times: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["redirect_latency_ms"].as_u64())
        .collect();
    times.sort_unstable();
    println!("From the bank's address to the redirect: {times:?} ms");
    sandbox.stop().await;
    Ok(())
}

/// The callback with the redirect URL is lost: the page polls the platform, whose answer does not have
/// it, and offers the way back.
#[tokio::test]
async fn a_lost_redirect_is_polled_for_by_the_page() -> anyhow::Result<()> {
    let soon = ("RedirectPollDelaySeconds".to_owned(), "1".to_owned());
    let sandbox = Sandbox::start(Options {
        parameters: [soon].into(),
        ..Options::any_ports()
    })
    .await?;
    let storefront = Storefront::new(sandbox.ready())?;
    let simulator = Simulator::new(sandbox.ready())?;
    let http = Client::builder().no_proxy().build()?;
    simulator.keep_quiet_about("lost").await?;
    let checkout = storefront.create("lost").await?;
    let address = checkout["checkout_url"].as_str().context("no address")?;
    eventually("the platform awaiting the shopper", || async {
        let books = simulator.books("lost").await?;
        Ok((books["status"] == "awaiting redirect result").then_some(()))
    })
    .await?;
    let back = format!("{}/thanks?payment_id=lost", sandbox.ready().shop);
    eventually("the way back to the shop", || async {
        let page = http.get(address).send().await?.text().await?;
        Ok((page.contains("has not answered yet") && page.contains(&back)).then_some(()))
    })
    .await?;
    let polls = simulator.requests("lost", "status").await?;
    ensure!(polls == 1, "{polls} status requests");
    let log = logs::of_functions(&sandbox).await?;
    ensure!(log.contains("\"redirect_lost\":1"), "nobody is alarmed");
    sandbox.stop().await;
    Ok(())
}

/// The lines of shoppers who were handed over after waiting.
async fn hand_offs(sandbox: &Sandbox) -> anyhow::Result<Vec<Value>> {
    let written = logs::of_functions(sandbox).await?;
    let lines = written
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(lines
        .filter(|line| line["message"] == "handed over")
        .collect())
}
