//! Tests results that follow after the shopper has paid. All views must agree: the shop, the checkout page, `/status`,
//! the API, the events and `operator show`.

use std::time::Duration;

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::queue::types;
use e2e::storefront::{checkout_url, partial_refund};
use serde_json::{Value, json};

use crate::setup::{PAID, Setup};
use crate::tab::Tab;

/// A checkout with this lifetime expires while the shopper is on the bank page.
const LIFETIME: Duration = Duration::from_secs(8);

/// The events of a payment that awaits its confirmation.
const WAITING: [&str; 3] = [PAID[0], PAID[1], "payment.awaiting_confirmation"];

/// What all views must show.
struct Outcome<'a> {
    status: &'a str,
    paid: u64,
    events: &'a [&'a str],
    /// The title and the delivery on the shop's page.
    shop: (&'a str, &'a str),
}

/// The paid amount is 10.00 EUR.
fn succeeded<'a>(events: &'a [&'a str]) -> Outcome<'a> {
    Outcome {
        status: "succeeded",
        paid: 1000,
        events,
        shop: ("Thank you", "on its way"),
    }
}

async fn ensure_all_show(
    setup: &Setup,
    tab: &Tab,
    checkout: &Value,
    outcome: &Outcome<'_>,
) -> anyhow::Result<()> {
    let system = &setup.system;
    let payment_id = checkout["payment_id"].as_str().unwrap_or_default();
    let payment = system.storefront.until(payment_id, outcome.status).await?;
    let amounts = json!({ "paid_amount": outcome.paid, "refunded_amount": 0 });
    ensure_contains(&payment, amounts)?;
    setup.ensure_events(payment_id, outcome.events).await?;

    let (title, delivery) = outcome.shop;
    tab.shows("#payment", outcome.status).await?;
    tab.shows("h1", title).await?;
    tab.shows("#delivery", delivery).await?;
    let status = system.shopper.checkout_status(checkout).await?;
    let expected = json!({ "status": outcome.status, "final": true });
    ensure_contains(&status, expected)?;

    let shown = setup.operator_show(payment_id).await?;
    for field in [
        "status",
        "paid_amount",
        "refunded_amount",
        "refundable_amount",
    ] {
        ensure!(shown[field] == payment[field], "{field} of {shown}");
    }
    let events = shown["events"].as_array().map(Vec::as_slice);
    ensure!(
        types(events.unwrap_or_default()) == outcome.events,
        "{shown}"
    );
    Ok(())
}

/// Creates a paid payment that awaits its confirmation.
async fn awaiting_confirmation(setup: &Setup, payment_id: &str) -> anyhow::Result<(Tab, Value)> {
    let confirmation = json!({ "confirmation": { "result": "none" } });
    let simulator = &setup.system.simulator;
    simulator.set_faults(payment_id, confirmation).await?;
    let checkout = setup.checkout(payment_id, json!({})).await?;
    let tab = setup.open_checkout(&checkout).await?;
    tab.click("#pay").await?;
    let waiting = Outcome {
        status: "awaiting_confirmation",
        paid: 0,
        events: &WAITING,
        shop: ("Your payment is being checked", "not yet"),
    };
    ensure_all_show(setup, &tab, &checkout, &waiting).await?;
    Ok((tab, checkout))
}

pub async fn a_confirmed_payment_is_shown_as_succeeded(setup: &Setup) -> anyhow::Result<()> {
    let payment_id = "shop-confirmed";
    let (tab, checkout) = awaiting_confirmation(setup, payment_id).await?;
    tab.screenshot("awaiting-confirmation").await?;
    setup.system.simulator.confirm(payment_id, "credit").await?;
    let events = [WAITING.as_slice(), &["payment.succeeded"]].concat();
    ensure_all_show(setup, &tab, &checkout, &succeeded(&events)).await?;
    tab.screenshot("confirmed").await
}

pub async fn a_payment_whose_confirmation_is_declined_is_shown_as_declined(
    setup: &Setup,
) -> anyhow::Result<()> {
    let payment_id = "shop-unconfirmed";
    let (tab, checkout) = awaiting_confirmation(setup, payment_id).await?;
    let simulator = &setup.system.simulator;
    simulator.confirm(payment_id, "decline").await?;
    let declined = Outcome {
        status: "declined",
        paid: 0,
        events: &[WAITING.as_slice(), &["payment.declined"]].concat(),
        shop: ("The payment was not made", "not yet"),
    };
    ensure_all_show(setup, &tab, &checkout, &declined).await?;
    tab.screenshot("not-confirmed").await?;
    tab.open(checkout_url(&checkout)?).await?;
    ensure!(tab.text("h1").await?.contains("declined"));
    tab.screenshot("not-confirmed-checkout").await
}

pub async fn a_payment_is_shown_as_succeeded_when_its_refund_is_returned(
    setup: &Setup,
) -> anyhow::Result<()> {
    let payment_id = "shop-returned";
    let storefront = &setup.system.storefront;
    let checkout = setup.checkout(payment_id, json!({})).await?;
    let tab = setup.open_checkout(&checkout).await?;
    setup.pay(&tab, payment_id).await?;
    let refund = partial_refund("r-1", 400);
    storefront.post_refund(payment_id, &refund, 202).await?;
    let refunded = storefront.until(payment_id, "partially_refunded").await?;
    let refund = &refunded["refunds"][0];
    let simulator = &setup.system.simulator;
    simulator.reverse_refund(payment_id, refund).await?;
    // The shop's page does not reload itself after a refund. Therefore the test opens it again.
    storefront.until(payment_id, "succeeded").await?;
    let refund = ["refund.pending", "refund.succeeded", "refund.returned"];
    let events = [PAID.as_slice(), &refund].concat();
    let thanks = format!("{}/thanks?payment_id={payment_id}", setup.ready().shop);
    tab.open(&thanks).await?;
    ensure_all_show(setup, &tab, &checkout, &succeeded(&events)).await?;
    tab.screenshot("refund-returned").await
}

pub async fn a_payment_made_after_the_checkout_expired_is_shown_as_succeeded(
    setup: &Setup,
) -> anyhow::Result<()> {
    let payment_id = "shop-expired";
    let short = json!({ "expires_in": LIFETIME.as_secs() });
    let checkout = setup.checkout(payment_id, short).await?;
    let bank = setup.open_checkout(&checkout).await?;
    bank.text("#amount").await?;
    tokio::time::sleep(LIFETIME).await;
    let page = setup.open_checkout(&checkout).await?;
    ensure!(page.text("h1").await?.contains("expired"));
    page.screenshot("expired").await?;
    // The test does not wait for the schedule, which runs the sweeper only once a minute.
    setup.system.sweep().await?;
    let mut events = vec![PAID[0], PAID[1], "checkout.expired"];
    setup.ensure_events(payment_id, &events).await?;

    bank.bring_to_front().await?;
    bank.click("#pay").await?;
    events.push("payment.succeeded");
    ensure_all_show(setup, &bank, &checkout, &succeeded(&events)).await?;
    bank.screenshot("paid-late").await
}
