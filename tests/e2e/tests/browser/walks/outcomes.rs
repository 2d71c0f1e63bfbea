//! What becomes of a payment after the shopper has paid. The shop's page, our page, `/status`, the API,
//! the events and `operator show` say the same.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::stage::{Stage, address};
use crate::tab::Tab;

/// How long a checkout lives that expires while the shopper is at the bank.
const SHORT: Duration = Duration::from_secs(8);

/// What all have to say.
struct Said<'a> {
    status: &'a str,
    paid: u64,
    refunded: u64,
    /// The types of all events.
    events: &'a [&'a str],
    /// The title and the delivery on the shop's page.
    shop: (&'a str, &'a str),
}

async fn all_say(
    stage: &Stage,
    tab: &Tab,
    checkout: &Value,
    said: &Said<'_>,
) -> anyhow::Result<()> {
    let payment_id = checkout["payment_id"].as_str().unwrap_or_default();
    let payment = stage.storefront.until(payment_id, said.status).await?;
    ensure!(payment["paid_amount"] == said.paid, "{payment}");
    ensure!(payment["refunded_amount"] == said.refunded, "{payment}");
    stage.announced(payment_id, said.events).await?;

    let (title, delivery) = said.shop;
    tab.shows("#payment", said.status).await?;
    tab.shows("h1", title).await?;
    tab.shows("#delivery", delivery).await?;

    let told: Value = reqwest::get(format!("{}/status", address(checkout)?))
        .await?
        .json()
        .await?;
    ensure!(told["status"] == said.status, "{told}");
    ensure!(told["final"] == true, "{told}");

    let shown = stage.shown_to_operator(payment_id).await?;
    for field in [
        "status",
        "paid_amount",
        "refunded_amount",
        "refundable_amount",
    ] {
        ensure!(shown[field] == payment[field], "{field} of {shown}");
    }
    let events = shown["events"].as_array().into_iter().flatten();
    let events: Vec<&Value> = events.map(|event| &event["type"]).collect();
    ensure!(events == said.events, "{shown}");
    Ok(())
}

/// A shopper who has paid and whose money waits for its confirmation.
async fn waits(stage: &Stage, payment_id: &str) -> anyhow::Result<(Tab, Value)> {
    let confirmation = json!({ "confirmation": { "result": "none" } });
    stage.simulator.fault(payment_id, confirmation).await?;
    let checkout = stage.checkout(payment_id, &Value::Null).await?;
    let tab = stage.tab().await?;
    tab.open(address(&checkout)?).await?;
    tab.click("#pay").await?;
    let said = Said {
        status: "awaiting_confirmation",
        paid: 0,
        refunded: 0,
        events: &WAITS,
        shop: ("Your payment is being checked", "not yet"),
    };
    all_say(stage, &tab, &checkout, &said).await?;
    Ok((tab, checkout))
}

const WAITS: [&str; 3] = [
    "payment.created",
    "payment.awaiting_customer",
    "payment.awaiting_confirmation",
];

pub async fn money_that_is_confirmed_is_paid(stage: &Stage) -> anyhow::Result<()> {
    let (tab, checkout) = waits(stage, "shop-confirmed").await?;
    tab.picture("awaiting_confirmation").await?;
    stage.simulator.confirm("shop-confirmed", "credit").await?;
    let said = Said {
        status: "succeeded",
        paid: 1000,
        refunded: 0,
        events: &[WAITS[0], WAITS[1], WAITS[2], "payment.succeeded"],
        shop: ("Thank you", "on its way"),
    };
    all_say(stage, &tab, &checkout, &said).await?;
    tab.picture("confirmed").await
}

pub async fn money_that_is_not_confirmed_is_declined(stage: &Stage) -> anyhow::Result<()> {
    let (tab, checkout) = waits(stage, "shop-unconfirmed").await?;
    stage
        .simulator
        .confirm("shop-unconfirmed", "decline")
        .await?;
    let said = Said {
        status: "declined",
        paid: 0,
        refunded: 0,
        events: &[WAITS[0], WAITS[1], WAITS[2], "payment.declined"],
        shop: ("The payment was not made", "not yet"),
    };
    all_say(stage, &tab, &checkout, &said).await?;
    tab.picture("not-confirmed").await?;
    tab.open(address(&checkout)?).await?;
    ensure!(tab.text("h1").await?.contains("declined"));
    tab.picture("not-confirmed-checkout").await
}

pub async fn a_refund_that_is_taken_back_is_money_again(stage: &Stage) -> anyhow::Result<()> {
    let checkout = stage.checkout("shop-returned", &Value::Null).await?;
    let tab = stage.tab().await?;
    tab.open(address(&checkout)?).await?;
    tab.click("button#pay").await?;
    stage.is_paid(&tab, "shop-returned", 1000).await?;
    let part =
        json!({ "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "a cup" });
    stage.storefront.refund("shop-returned", &part).await?;
    let until = stage
        .storefront
        .until("shop-returned", "partially_refunded");
    let refunded = until.await?;
    let operation = refunded["refunds"][0]["operation_id"].as_str();
    let operation = operation.unwrap_or_default();
    stage
        .simulator
        .reverse_refund("shop-returned", operation, json!({}))
        .await?;
    let said = Said {
        status: "succeeded",
        paid: 1000,
        refunded: 0,
        events: &[
            "payment.created",
            "payment.awaiting_customer",
            "payment.succeeded",
            "refund.pending",
            "refund.succeeded",
            "refund.returned",
        ],
        shop: ("Thank you", "on its way"),
    };
    let again = format!("{}/thanks?payment_id=shop-returned", stage.ready().shop);
    tab.open(&again).await?;
    all_say(stage, &tab, &checkout, &said).await?;
    tab.picture("refund-returned").await
}

pub async fn money_for_an_expired_checkout_is_late(stage: &Stage) -> anyhow::Result<()> {
    let short = json!({ "expires_in": SHORT.as_secs() });
    let checkout = stage.checkout("shop-expired", &short).await?;
    let (bank, page) = (stage.tab().await?, stage.tab().await?);
    bank.0.bring_to_front().await?;
    bank.open(address(&checkout)?).await?;
    bank.text("#amount").await?;
    tokio::time::sleep(SHORT).await;
    page.0.bring_to_front().await?;
    page.open(address(&checkout)?).await?;
    ensure!(page.text("h1").await?.contains("expired"));
    page.picture("expired").await?;
    let expired = [
        "payment.created",
        "payment.awaiting_customer",
        "checkout.expired",
    ];
    stage.announced("shop-expired", &expired).await?;

    bank.0.bring_to_front().await?;
    bank.click("#pay").await?;
    let said = Said {
        status: "succeeded",
        paid: 1000,
        refunded: 0,
        events: &[expired[0], expired[1], expired[2], "payment.succeeded"],
        shop: ("Thank you", "on its way"),
    };
    all_say(stage, &bank, &checkout, &said).await?;
    bank.picture("paid-late").await
}
