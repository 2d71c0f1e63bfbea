//! Data that the platform asks the shopper for.

use anyhow::ensure;
use serde_json::json;

use crate::stage::{Stage, address};

const LAST_NAME: &str = "input[name='customer.last_name']";

pub async fn a_missing_name_is_asked_for_until_it_is_right(stage: &Stage) -> anyhow::Result<()> {
    let tab = stage.shop().await?;
    tab.fill("#last-name", "").await?;
    tab.click("#buy").await?;

    tab.fill(LAST_NAME, "Li").await?;
    tab.click("button").await?;
    let problem = tab.text(".problem").await?;
    ensure!(
        problem == "Please enter at least 3 characters.",
        "{problem}"
    );
    ensure!(
        tab.value(LAST_NAME).await? == "Li",
        "what was filled in is gone"
    );
    tab.picture("clarification").await?;

    tab.fill(LAST_NAME, "Janssens").await?;
    tab.click("button").await?;
    tab.text("#amount").await?;
    tab.click("#pay").await?;
    let payment_id = tab.text("#order").await?;
    stage.is_paid(&tab, &payment_id, 1000).await?;
    let kinds = [
        "payment.created",
        "payment.awaiting_clarification",
        "payment.awaiting_customer",
        "payment.succeeded",
    ];
    stage.announced(&payment_id, &kinds).await
}

pub async fn a_name_that_got_lost_is_asked_for_again(stage: &Stage) -> anyhow::Result<()> {
    let lost = json!({ "answer": "lost", "answer_to": ["clarification"], "answer_times": 1 });
    stage.simulator.fault("shop-lost-name", lost).await?;
    let nameless = json!({ "customer": { "id": "c-42", "ip_address": "192.0.2.10" } });
    let checkout = stage.checkout("shop-lost-name", &nameless).await?;
    let tab = stage.tab().await?;
    tab.open(address(&checkout)?).await?;
    tab.fill(LAST_NAME, "Janssens").await?;
    tab.click("button").await?;
    // The page looks again by itself and finds the question still open.
    tab.shows("h1", "Not available at the moment").await?;
    tab.shows("h1", "A few more details").await?;
    tab.fill(LAST_NAME, "Janssens").await?;
    tab.click("button").await?;
    tab.text("#amount").await?;
    tab.click("#pay").await?;
    stage.is_paid(&tab, "shop-lost-name", 1000).await
}
