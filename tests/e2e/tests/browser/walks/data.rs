//! Data that the platform asks the shopper for.

use anyhow::ensure;

use crate::stage::Stage;

pub async fn a_missing_name_is_asked_for_until_it_is_right(stage: &Stage) -> anyhow::Result<()> {
    let tab = stage.shop().await?;
    tab.fill("#last-name", "").await?;
    tab.click("#buy").await?;

    let field = "input[name='customer.last_name']";
    tab.fill(field, "Li").await?;
    tab.click("button").await?;
    let problem = tab.text(".problem").await?;
    ensure!(
        problem == "Please enter at least 3 characters.",
        "{problem}"
    );
    ensure!(
        tab.value(field).await? == "Li",
        "what was filled in is gone"
    );
    tab.picture("clarification").await?;

    tab.fill(field, "Janssens").await?;
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
