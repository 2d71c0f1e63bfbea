//! Tests the channel `payment_page`, in which the platform shows its own page before the bank page.

use anyhow::ensure;
use e2e::ensure_contains;
use serde_json::json;

use crate::setup::{PAID, Setup};

pub async fn a_payment_from_the_payment_page_succeeds(setup: &Setup) -> anyhow::Result<()> {
    let tab = setup.shop().await?;
    tab.click("#payment_page").await?;
    tab.click("#buy").await?;
    tab.shows("h1", "Payment Page").await?;
    ensure!(tab.text("#amount").await?.contains("10.00"));
    tab.screenshot("payment-page").await?;
    tab.click("#confirm").await?;
    tab.shows("h1", "Bancontact").await?;
    tab.click("#pay").await?;
    let payment_id = tab.text("#order").await?;
    setup.ensure_paid(&tab, &payment_id, 1000).await?;
    setup.ensure_events(&payment_id, &PAID).await
}

pub async fn a_payment_from_the_payment_page_is_declined(setup: &Setup) -> anyhow::Result<()> {
    let payment_id = "shop-page-declined";
    let channel = json!({ "channel": "payment_page" });
    let checkout = setup.checkout(payment_id, channel).await?;
    let link = checkout["redirect"]["url"].as_str().unwrap_or_default();
    ensure!(link.starts_with(&setup.ready().platform), "{checkout}");
    let tab = setup.open_checkout(&checkout).await?;
    tab.click("#confirm").await?;
    tab.click("#decline").await?;
    tab.shows("#payment", "declined").await?;
    ensure!(tab.text("#delivery").await? == "not yet");
    let payment = setup.system.storefront.payment(payment_id).await?;
    ensure_contains(&payment, json!({ "status": "declined" }))?;
    let events = [PAID[0], PAID[1], "payment.declined"];
    setup.ensure_events(payment_id, &events).await
}
