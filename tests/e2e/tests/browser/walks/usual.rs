//! What shoppers do every day.

use anyhow::ensure;
use serde_json::{Value, json};

use crate::stage::{Stage, address};

pub async fn a_cup_of_tea_is_bought_by_clicking(stage: &Stage) -> anyhow::Result<()> {
    let ready = stage.ready();
    let tab = stage.shop().await?;
    ensure!(tab.text("#price").await? == "10.00 EUR");
    tab.picture("shop").await?;
    tab.click("#buy").await?;

    // The bank, after whatever waiting the hand-off needs. Below 500 EUR it shows the app's code.
    ensure!(tab.text("#amount").await?.contains("10.00"));
    ensure!(tab.has("#qr").await, "there is no QR code");
    let bank = tab.address().await?;
    ensure!(bank.starts_with(&ready.platform), "the bank is at {bank}");
    tab.picture("bank").await?;
    tab.click("#pay").await?;

    // Back in the shop, which ships as soon as its consumer has read the event.
    let payment_id = tab.text("#order").await?;
    stage.is_paid(&tab, &payment_id, 1000).await?;
    ensure!(tab.text("#paid").await? == "10.00 EUR");
    tab.picture("thanks").await?;

    // The tea was cold.
    tab.click("#send-back").await?;
    tab.shows("#delivery", "taken back").await?;
    ensure!(tab.text("#refunded").await? == "10.00 EUR");
    stage
        .announced(
            &payment_id,
            &[
                "payment.created",
                "payment.awaiting_customer",
                "payment.succeeded",
                "refund.pending",
                "refund.succeeded",
            ],
        )
        .await?;
    tab.click("#activity").await?;
    let news = tab.text("#lines").await?;
    for line in ["payment.succeeded", "refunded", "refund.succeeded"] {
        ensure!(news.contains(line), "{line} is missing in {news}");
    }
    tab.picture("news").await
}

pub async fn a_declined_payment_is_not_shipped(stage: &Stage) -> anyhow::Result<()> {
    let tab = stage.at_checkout("shop-declined").await?;
    tab.text("#amount").await?;
    tab.click("#decline").await?;
    tab.shows("#payment", "declined").await?;
    ensure!(tab.text("h1").await? == "The payment was not made");
    ensure!(tab.text("#delivery").await? == "not yet");
    let payment = stage.storefront.payment("shop-declined").await?;
    ensure!(payment["status"] == "declined", "{payment}");
    ensure!(payment["decline"]["code"] == "20301", "{payment}");
    let kinds = [
        "payment.created",
        "payment.awaiting_customer",
        "payment.declined",
    ];
    stage.announced("shop-declined", &kinds).await
}

pub async fn who_walks_away_can_come_back_and_pay(stage: &Stage) -> anyhow::Result<()> {
    let tab = stage.shop().await?;
    tab.click("#buy").await?;
    tab.text("#amount").await?;
    let bank = tab.address().await?;
    tab.click("#walk-away").await?;
    tab.shows("#payment", "awaiting_customer").await?;
    ensure!(tab.text("h1").await? == "Your payment is being checked");
    let payment_id = tab.text("#order").await?;

    // The checkout's own address once more.
    tab.click("a#pay").await?;
    tab.text("#amount").await?;
    ensure!(tab.address().await? == bank, "the bank moved from {bank}");
    tab.click("button#pay").await?;
    stage.is_paid(&tab, &payment_id, 1000).await?;
    stage.announced(&payment_id, PAID).await
}

pub async fn two_tabs_pay_once(stage: &Stage) -> anyhow::Result<()> {
    let checkout = stage.checkout("shop-two-tabs", &json!({})).await?;
    let (first, second) = (stage.tab().await?, stage.tab().await?);
    for tab in [&first, &second] {
        tab.0.bring_to_front().await?;
        tab.open(address(&checkout)?).await?;
        tab.text("#amount").await?;
    }
    ensure!(first.address().await? == second.address().await?);
    first.0.bring_to_front().await?;
    first.click("#pay").await?;
    stage.is_paid(&first, "shop-two-tabs", 1000).await?;

    second.0.bring_to_front().await?;
    second.click("#pay").await?;
    second.shows("#notice", "Already paid").await?;
    second.click("#back").await?;
    stage.is_paid(&second, "shop-two-tabs", 1000).await?;
    // Who opens the checkout after all is taken to the shop.
    second.open(address(&checkout)?).await?;
    stage.is_paid(&second, "shop-two-tabs", 1000).await?;
    stage.announced("shop-two-tabs", PAID).await
}

pub async fn above_500_euros_there_is_no_code_for_the_app(stage: &Stage) -> anyhow::Result<()> {
    let below = json!({ "amount": 49_999 });
    let checkout = stage.checkout("shop-tea-set", &below).await?;
    ensure!(checkout["app_payment_available"] == true, "{checkout}");
    let above = json!({ "amount": 75_000 });
    let checkout = stage.checkout("shop-samovar", &above).await?;
    ensure!(checkout["app_payment_available"] == false, "{checkout}");

    let tab = stage.tab().await?;
    tab.open(address(&checkout)?).await?;
    ensure!(tab.text("#amount").await?.contains("750.00"));
    ensure!(!tab.has("#qr").await, "there is a QR code");
    tab.click("#pay").await?;
    stage.is_paid(&tab, "shop-samovar", 75_000).await?;
    stage.announced("shop-samovar", PAID).await
}

/// The browser itself decides by our headers.
pub async fn the_shops_pages_may_ask_how_it_stands(stage: &Stage) -> anyhow::Result<()> {
    let checkout = stage.checkout("shop-watched", &json!({})).await?;
    let answer = format!(
        "fetch('{}/status').then(answer => answer.json()).catch(() => 'refused')",
        address(&checkout)?
    );
    let tab = stage.shop().await?;
    let told: Value = tab.0.evaluate(answer.as_str()).await?.into_value()?;
    ensure!(told["final"] == false, "{told}");
    tab.open(&stage.ready().platform).await?;
    let told: Value = tab.0.evaluate(answer.as_str()).await?.into_value()?;
    ensure!(told == "refused", "another site was told {told}");
    Ok(())
}

/// The events of a payment that is paid without detours.
pub const PAID: &[&str] = &[
    "payment.created",
    "payment.awaiting_customer",
    "payment.succeeded",
];
