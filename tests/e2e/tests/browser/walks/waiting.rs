//! Other hand-offs than a plain redirect, and news that comes late.

use anyhow::ensure;
use serde_json::json;

use super::usual::PAID;
use crate::stage::Stage;
use crate::tab::Tab;

/// The content security policy must let the form through, and the redirect that answers it.
pub async fn a_posted_form_leads_over_two_origins_to_the_bank(stage: &Stage) -> anyhow::Result<()> {
    let post = json!({ "redirect_method": "POST" });
    stage.simulator.fault("shop-form", post).await?;
    let tab = stage.at_checkout("shop-form").await?;
    ensure!(tab.text("#amount").await?.contains("10.00"));
    is_at_second_origin(&tab).await?;
    tab.click("#pay").await?;
    stage.is_paid(&tab, "shop-form", 1000).await?;
    stage.announced("shop-form", PAID).await
}

pub async fn without_scripts_pages_and_buttons_lead_to_the_bank(
    stage: &Stage,
) -> anyhow::Result<()> {
    let held = json!({ "redirect_method": "POST", "hold": true });
    stage.simulator.fault("shop-plain", held).await?;
    let checkout = stage.checkout("shop-plain", &json!({})).await?;
    let tab = stage.tab().await?;
    tab.switch_scripts_off().await?;
    tab.open(crate::stage::address(&checkout)?).await?;
    tab.shows("h1", "One moment, please").await?;
    let post = json!({ "redirect_method": "POST" });
    stage.simulator.fault("shop-plain", post).await?;
    // The page comes again by itself, but its form waits for the button.
    tab.shows("h1", "To Bancontact").await?;
    tab.picture("hand-off").await?;
    tab.click_in_place("button").await?;
    tab.text("#amount").await?;
    is_at_second_origin(&tab).await?;
    tab.click_in_place("#pay").await?;
    stage.is_paid(&tab, "shop-plain", 1000).await?;
    stage.announced("shop-plain", PAID).await
}

pub async fn the_waiting_page_goes_on_by_itself(stage: &Stage) -> anyhow::Result<()> {
    stage
        .simulator
        .fault("shop-waits", json!({ "hold": true }))
        .await?;
    let tab = stage.at_checkout("shop-waits").await?;
    tab.shows("h1", "One moment, please").await?;
    tab.picture("waiting").await?;
    let payment = stage.storefront.payment("shop-waits").await?;
    ensure!(payment["status"] == "processing", "{payment}");
    stage.simulator.fault("shop-waits", json!({})).await?;
    tab.text("#amount").await?;
    tab.click("#pay").await?;
    stage.is_paid(&tab, "shop-waits", 1000).await?;
    stage.announced("shop-waits", PAID).await
}

pub async fn a_late_result_is_being_checked_until_it_comes(stage: &Stage) -> anyhow::Result<()> {
    let tab = stage.at_checkout("shop-late").await?;
    tab.text("#amount").await?;
    stage
        .simulator
        .fault("shop-late", json!({ "hold": true }))
        .await?;
    tab.click("#pay").await?;
    tab.shows("h1", "Your payment is being checked").await?;
    ensure!(tab.text("#payment").await? == "awaiting_customer");
    ensure!(tab.text("#delivery").await? == "not yet");
    stage.simulator.fault("shop-late", json!({})).await?;
    stage.is_paid(&tab, "shop-late", 1000).await?;
    stage.announced("shop-late", PAID).await
}

async fn is_at_second_origin(tab: &Tab) -> anyhow::Result<()> {
    let bank = tab.address().await?;
    ensure!(
        bank.starts_with("http://localhost:"),
        "the bank is at {bank}"
    );
    Ok(())
}
