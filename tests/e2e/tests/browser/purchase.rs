//! Tests purchases in the demo shop.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::storefront::checkout_url;
use serde_json::{Value, json};

use crate::setup::{PAID, Setup};

pub async fn an_order_is_paid_shipped_and_refunded_by_clicks(setup: &Setup) -> anyhow::Result<()> {
    let tab = setup.shop().await?;
    ensure!(tab.text("#price").await? == "10.00 EUR");
    tab.screenshot("shop").await?;
    tab.click("#buy").await?;

    ensure!(tab.text("#amount").await?.contains("10.00"));
    ensure!(tab.has("#qr").await, "the bank page has no QR code");
    let bank = tab.address().await?;
    let platform = &setup.ready().platform;
    ensure!(bank.starts_with(platform), "the bank page is at {bank}");
    tab.screenshot("bank").await?;
    tab.click("#pay").await?;

    let payment_id = tab.text("#order").await?;
    setup.ensure_paid(&tab, &payment_id, 1000).await?;
    ensure!(tab.text("#paid").await? == "10.00 EUR");
    tab.screenshot("thanks").await?;

    tab.click("#send-back").await?;
    tab.shows("#delivery", "taken back").await?;
    ensure!(tab.text("#refunded").await? == "10.00 EUR");
    let refunded = ["refund.pending", "refund.succeeded"];
    let events = [PAID.as_slice(), &refunded].concat();
    setup.ensure_events(&payment_id, &events).await?;
    tab.click("#activity").await?;
    let activity = tab.text("#lines").await?;
    for line in ["payment.succeeded", "refunded", "refund.succeeded"] {
        ensure!(activity.contains(line), "{line} is not in {activity}");
    }
    tab.screenshot("activity").await
}

pub async fn a_declined_payment_is_not_shipped(setup: &Setup) -> anyhow::Result<()> {
    let tab = setup.at_checkout("shop-declined").await?;
    tab.text("#amount").await?;
    tab.click("#decline").await?;
    tab.shows("#payment", "declined").await?;
    ensure!(tab.text("h1").await? == "The payment was not made");
    ensure!(tab.text("#delivery").await? == "not yet");
    let payment = setup.system.storefront.payment("shop-declined").await?;
    let declined = json!({ "status": "declined", "decline": { "code": "20301" } });
    ensure_contains(&payment, declined)?;
    let events = [PAID[0], PAID[1], "payment.declined"];
    setup.ensure_events("shop-declined", &events).await
}

pub async fn a_shopper_who_leaves_the_bank_page_can_return_and_pay(
    setup: &Setup,
) -> anyhow::Result<()> {
    let tab = setup.shop().await?;
    tab.click("#buy").await?;
    tab.text("#amount").await?;
    let bank = tab.address().await?;
    tab.click("#walk-away").await?;
    tab.shows("#payment", "awaiting_customer").await?;
    ensure!(tab.text("h1").await? == "Your payment is being checked");
    let payment_id = tab.text("#order").await?;

    tab.click("a#pay").await?;
    tab.text("#amount").await?;
    let again = tab.address().await?;
    ensure!(again == bank, "the bank page moved from {bank} to {again}");
    setup.pay(&tab, &payment_id).await
}

pub async fn a_checkout_in_two_tabs_is_paid_once(setup: &Setup) -> anyhow::Result<()> {
    let payment_id = "shop-two-tabs";
    let checkout = setup.checkout(payment_id, json!({})).await?;
    let first = setup.open_checkout(&checkout).await?;
    first.text("#amount").await?;
    let second = setup.open_checkout(&checkout).await?;
    second.text("#amount").await?;
    ensure!(first.address().await? == second.address().await?);
    first.bring_to_front().await?;
    setup.pay(&first, payment_id).await?;

    second.bring_to_front().await?;
    second.click("#pay").await?;
    second.shows("#notice", "Already paid").await?;
    second.click("#back").await?;
    setup.ensure_paid(&second, payment_id, 1000).await?;
    // A paid checkout redirects to the shop.
    second.open(checkout_url(&checkout)?).await?;
    setup.ensure_paid(&second, payment_id, 1000).await?;
    setup.ensure_events(payment_id, &PAID).await
}

pub async fn the_bank_page_has_no_qr_code_from_500_euros_on(setup: &Setup) -> anyhow::Result<()> {
    let below = json!({ "amount": 49_999 });
    let checkout = setup.checkout("shop-tea-set", below).await?;
    ensure_contains(&checkout, json!({ "app_payment_available": true }))?;
    let above = json!({ "amount": 50_000 });
    let checkout = setup.checkout("shop-samovar", above).await?;
    ensure_contains(&checkout, json!({ "app_payment_available": false }))?;

    let tab = setup.open_checkout(&checkout).await?;
    ensure!(tab.text("#amount").await?.contains("500.00"));
    ensure!(!tab.has("#qr").await, "the bank page has a QR code");
    tab.click("#pay").await?;
    setup.ensure_paid(&tab, "shop-samovar", 50_000).await?;
    setup.ensure_events("shop-samovar", &PAID).await
}

/// The browser enforces the CORS headers of the answer.
pub async fn only_pages_of_the_shop_can_read_the_checkout_status(
    setup: &Setup,
) -> anyhow::Result<()> {
    let checkout = setup.checkout("shop-watched", json!({})).await?;
    let read = format!(
        "fetch('{}/status').then(answer => answer.json()).catch(() => 'refused')",
        checkout_url(&checkout)?
    );
    let tab = setup.shop().await?;
    let status: Value = tab.0.evaluate(&read).await?;
    ensure!(status["final"] == false, "{status}");
    tab.open(&setup.ready().platform).await?;
    let status: Value = tab.0.evaluate(&read).await?;
    ensure!(status == "refused", "another site reads {status}");
    Ok(())
}
