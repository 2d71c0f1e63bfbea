//! Tests the demo shop with an endpoint.

use anyhow::Context;
use e2e::eventually;
use e2e::system::{System, accelerated};
use reqwest::Url;
use sandbox::Options;
use serde_json::json;

#[tokio::test]
async fn a_shop_with_an_endpoint_ships_an_order_without_reading_a_queue() -> anyhow::Result<()> {
    let system = System::start(Options {
        webhooks: true,
        webhook_shop: true,
        ..accelerated()
    })
    .await?;
    let shop = &system.ready().shop;
    let bought = system.shopper.http.post(format!("{shop}/buy")).send();
    let checkout_url = bought.await?.headers()["location"].to_str()?.to_owned();
    let checkout = json!({ "checkout_url": checkout_url });
    let mut page = system.shopper.pay(&checkout).await?;
    while !page.starts_with(shop.as_str()) {
        page = system.shopper.follow(&page).await?;
    }
    eventually("a shipped order", async || {
        let (_, text) = system.shopper.page(&page).await?;
        Ok(text.contains("on its way").then_some(()))
    })
    .await?;
    let url = Url::parse(&page)?;
    let mut query = url.query_pairs();
    let payment_id = query.find(|(name, _)| name == "payment_id");
    let (_, payment_id) = payment_id.context("the URL names no order")?;
    let fulfilment = system.queue("fulfilment")?;
    fulfilment.until(&payment_id, "payment.succeeded").await?;
    system.stop().await;
    Ok(())
}
