//! Tests shoppers who wait for the redirect to the bank: the logged latency, and a lost callback with the redirect URL.

use std::time::Duration;

use anyhow::ensure;
use e2e::storefront::checkout_url;
use e2e::system::{System, with_parameters};
use e2e::{TIMEOUT, eventually, logs};
use sandbox::Options;
use serde_json::json;
use tokio::time::{Instant, sleep};

/// The test needs this many log lines with a latency.
const WANTED: usize = 5;

#[tokio::test]
async fn the_latency_of_a_redirect_is_logged_when_the_shopper_waited() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    // On a slow machine, the callback can arrive before the shopper's request. In this case, the function logs no
    // latency. Therefore the test makes payments until it has enough log lines.
    let end = Instant::now() + 2 * TIMEOUT;
    let mut private = vec!["Janssens".to_owned(), "192.0.2.10".to_owned()];
    let mut number = 0;
    let lines = loop {
        let payment_id = format!("waits-{number}");
        let hold = json!({ "hold": true });
        system.simulator.set_faults(&payment_id, hold).await?;
        let checkout = system.storefront.create(&payment_id).await?;
        let url = checkout_url(&checkout)?;
        let page = tokio::spawn(system.shopper.http.get(url).send());
        // A waiting function reads the payment repeatedly. With different delays, the callbacks arrive at different
        // times between two reads.
        sleep(Duration::from_millis(600 + 70 * (number % 5))).await;
        system.simulator.set_faults(&payment_id, json!({})).await?;
        let status = page.await??.status();
        ensure!(status == 200 || status == 303, "{status}");
        private.extend(url.rsplit('/').next().map(str::to_owned));
        let mut lines = logs::json_lines(&system.sandbox).await?;
        lines.retain(|line| line["message"] == "a waiting shopper was redirected");
        if lines.len() >= WANTED {
            break lines;
        }
        ensure!(Instant::now() < end, "only these lines: {lines:?}");
        number += 1;
    };

    let metric = json!([{ "Name": "redirect_latency_ms", "Unit": "Milliseconds" }]);
    for line in &lines {
        let metrics = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        ensure!(*metrics == metric, "{line}");
        ensure!(line["redirect_latency_ms"].is_u64(), "{line}");
        let text = line.to_string();
        let found = private.iter().find(|value| text.contains(*value));
        ensure!(found.is_none(), "{found:?} is in {line}");
    }
    let mut latencies: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["redirect_latency_ms"].as_u64())
        .collect();
    latencies.sort_unstable();
    println!("From the redirect URL to the redirect: {latencies:?} ms");
    system.stop().await;
    Ok(())
}

/// A status answer has no redirect URL, so the page can only link to the shop.
#[tokio::test]
async fn the_waiting_page_polls_once_and_links_to_the_shop_when_the_callback_with_the_redirect_url_is_lost()
-> anyhow::Result<()> {
    let soon = with_parameters([("RedirectPollDelaySeconds", "1")]);
    let system = System::start(soon).await?;
    system.simulator.drop_callbacks("lost").await?;
    let checkout = system.storefront.create("lost").await?;
    system.simulator.bank_page("lost").await?;
    let shop = format!("{}/thanks?payment_id=lost", system.ready().shop);
    let url = checkout_url(&checkout)?;
    eventually("the link to the shop", async || {
        let (_, page) = system.shopper.page(url).await?;
        let has_link = page.contains("has not answered yet") && page.contains(&shop);
        Ok(has_link.then_some(()))
    })
    .await?;
    let polls = system.simulator.request_count("lost", "status").await?;
    ensure!(polls == 1, "{polls} status requests");
    let log = system.log().await?;
    ensure!(
        log.contains("\"redirect_lost\":1"),
        "the metric redirect_lost is not logged"
    );
    system.stop().await;
    Ok(())
}
