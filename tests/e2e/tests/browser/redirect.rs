//! Tests how a shopper reaches the bank: by POST, without scripts, or after a wait. Also tests a result that arrives
//! after the shopper has returned to the shop.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::storefront::checkout_url;
use serde_json::json;

use crate::setup::{PAID, Setup};
use crate::tab::Tab;

/// The content security policy must allow that the form is posted to the platform, and that the browser follows the
/// platform's redirect.
pub async fn a_redirect_by_post_reaches_the_bank_on_a_second_origin(
    setup: &Setup,
) -> anyhow::Result<()> {
    let post = json!({ "redirect_method": "POST" });
    setup.system.simulator.set_faults("shop-form", post).await?;
    let tab = setup.at_checkout("shop-form").await?;
    ensure!(tab.text("#amount").await?.contains("10.00"));
    ensure_second_origin(&tab).await?;
    setup.pay(&tab, "shop-form").await
}

pub async fn a_shopper_without_scripts_reaches_the_bank_with_buttons(
    setup: &Setup,
) -> anyhow::Result<()> {
    let (payment_id, simulator) = ("shop-plain", &setup.system.simulator);
    let held = json!({ "redirect_method": "POST", "hold": true });
    simulator.set_faults(payment_id, held).await?;
    let checkout = setup.checkout(payment_id, json!({})).await?;
    let tab = setup.open("about:blank").await?;
    tab.disable_scripts().await?;
    tab.open(checkout_url(&checkout)?).await?;
    tab.shows("h1", "One moment, please").await?;
    let post = json!({ "redirect_method": "POST" });
    simulator.set_faults(payment_id, post).await?;
    // The page reloads itself, but without scripts it cannot send the form.
    tab.shows("h1", "To Bancontact").await?;
    tab.screenshot("hand-off").await?;
    tab.click("button").await?;
    tab.text("#amount").await?;
    ensure_second_origin(&tab).await?;
    tab.click("#pay").await?;
    setup.ensure_paid(&tab, payment_id, 1000).await?;
    setup.ensure_events(payment_id, &PAID).await
}

pub async fn the_waiting_page_redirects_when_the_redirect_url_arrives(
    setup: &Setup,
) -> anyhow::Result<()> {
    let (payment_id, simulator) = ("shop-waits", &setup.system.simulator);
    let held = json!({ "hold": true });
    simulator.set_faults(payment_id, held).await?;
    let tab = setup.at_checkout(payment_id).await?;
    tab.shows("h1", "One moment, please").await?;
    tab.screenshot("waiting").await?;
    let payment = setup.system.storefront.payment(payment_id).await?;
    ensure_contains(&payment, json!({ "status": "processing" }))?;
    simulator.set_faults(payment_id, json!({})).await?;
    tab.text("#amount").await?;
    setup.pay(&tab, payment_id).await
}

pub async fn the_shop_shows_a_result_that_arrives_late(setup: &Setup) -> anyhow::Result<()> {
    let (payment_id, simulator) = ("shop-late", &setup.system.simulator);
    let tab = setup.at_checkout(payment_id).await?;
    tab.text("#amount").await?;
    let held = json!({ "hold": true });
    simulator.set_faults(payment_id, held).await?;
    tab.click("#pay").await?;
    tab.shows("h1", "Your payment is being checked").await?;
    ensure!(tab.text("#payment").await? == "awaiting_customer");
    ensure!(tab.text("#delivery").await? == "not yet");
    simulator.set_faults(payment_id, json!({})).await?;
    setup.ensure_paid(&tab, payment_id, 1000).await?;
    setup.ensure_events(payment_id, &PAID).await
}

/// Checks that the bank page is on the platform's second origin. The platform redirects a POST to this origin.
async fn ensure_second_origin(tab: &Tab) -> anyhow::Result<()> {
    let bank = tab.address().await?;
    let second = "http://localhost:";
    ensure!(bank.starts_with(second), "the bank page is at {bank}");
    Ok(())
}
