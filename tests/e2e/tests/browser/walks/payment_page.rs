//! The other channel: the platform's own page comes before the bank.

use anyhow::ensure;
use serde_json::json;

use super::usual::PAID;
use crate::stage::{Stage, address};

pub async fn payment_page_is_paid_by_clicking(stage: &Stage) -> anyhow::Result<()> {
    let tab = stage.shop().await?;
    tab.click("#payment_page").await?;
    tab.click("#buy").await?;
    tab.shows("h1", "Payment Page").await?;
    ensure!(tab.text("#amount").await?.contains("10.00"));
    tab.picture("payment-page").await?;
    tab.click("#confirm").await?;
    tab.shows("h1", "Bancontact").await?;
    tab.click("#pay").await?;
    let payment_id = tab.text("#order").await?;
    stage.is_paid(&tab, &payment_id, 1000).await?;
    stage.announced(&payment_id, PAID).await
}

pub async fn payment_page_is_declined(stage: &Stage) -> anyhow::Result<()> {
    let id = "shop-page-declined";
    let checkout = stage
        .checkout(id, &json!({ "channel": "payment_page" }))
        .await?;
    let link = &checkout["redirect"]["url"];
    let platform = &stage.ready().platform;
    ensure!(
        link.as_str().is_some_and(|link| link.starts_with(platform)),
        "{checkout}"
    );
    let tab = stage.tab().await?;
    tab.open(address(&checkout)?).await?;
    tab.click("#confirm").await?;
    tab.click("#decline").await?;
    tab.shows("#payment", "declined").await?;
    ensure!(tab.text("#delivery").await? == "not yet");
    let payment = stage.storefront.payment(id).await?;
    ensure!(payment["status"] == "declined", "{payment}");
    let kinds = [
        "payment.created",
        "payment.awaiting_customer",
        "payment.declined",
    ];
    stage.announced(id, &kinds).await
}
