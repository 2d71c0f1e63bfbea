//! Tests the clarification form of the checkout page.

use anyhow::ensure;
use serde_json::json;

use crate::setup::Setup;

const LAST_NAME: &str = "input[name='customer.last_name']";

pub async fn the_form_is_shown_again_until_the_last_name_is_valid(
    setup: &Setup,
) -> anyhow::Result<()> {
    let tab = setup.shop().await?;
    tab.fill("#last-name", "").await?;
    tab.click("#buy").await?;

    tab.fill(LAST_NAME, "Li").await?;
    tab.click("button").await?;
    let problem = tab.text(".problem").await?;
    let expected = "Please enter at least 3 characters.";
    ensure!(problem == expected, "{problem}");
    let entered = tab.value(LAST_NAME).await?;
    ensure!(entered == "Li", "the form shows {entered}");
    tab.screenshot("clarification").await?;

    tab.fill(LAST_NAME, "Janssens").await?;
    tab.click("button").await?;
    tab.text("#amount").await?;
    tab.click("#pay").await?;
    let payment_id = tab.text("#order").await?;
    setup.ensure_paid(&tab, &payment_id, 1000).await?;
    let events = [
        "payment.created",
        "payment.awaiting_clarification",
        "payment.awaiting_customer",
        "payment.succeeded",
    ];
    setup.ensure_events(&payment_id, &events).await
}

pub async fn the_form_is_shown_again_when_the_platform_did_not_receive_the_data(
    setup: &Setup,
) -> anyhow::Result<()> {
    let payment_id = "shop-lost-name";
    let lost = json!({ "answer": "lost", "answer_to": ["clarification"], "answer_times": 1 });
    setup.system.simulator.set_faults(payment_id, lost).await?;
    let nameless = json!({ "customer": { "id": "c-42", "ip_address": "192.0.2.10" } });
    let checkout = setup.checkout(payment_id, nameless).await?;
    let tab = setup.open_checkout(&checkout).await?;
    tab.fill(LAST_NAME, "Janssens").await?;
    tab.click("button").await?;
    let alert = tab.text(".problems").await?;
    ensure!(alert.contains("has not confirmed"), "{alert}");
    let entered = tab.value(LAST_NAME).await?;
    ensure!(entered == "Janssens", "the form shows {entered}");
    tab.click("button").await?;
    tab.text("#amount").await?;
    tab.click("#pay").await?;
    setup.ensure_paid(&tab, payment_id, 1000).await
}
