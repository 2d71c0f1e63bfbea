//! Tests `GET /checkouts/{token}/status`.

use std::time::Duration;

use api::routes::{PAYMENT as SHOW, STATUS};
use api::snapshot::check;
use api::{Answer, Api, Call, PAYMENT, order};
use serde_json::json;

/// Reads the status without a storefront key, as a browser does.
async fn status(api: &Api, token: &str, headers: &[(&str, &str)]) -> anyhow::Result<Answer> {
    api.call(Call {
        route: STATUS,
        parameters: &[token],
        headers,
        ..Call::default()
    })
    .await
}

#[tokio::test]
async fn a_page_of_the_shops_origin_gets_the_status() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let created = api.checkout(&order(PAYMENT)).await?;
    let token = created.token()?;
    api.report("sale_success.json").await?;
    let shop = [("origin", "https://shop.example")];
    check("status", STATUS, &status(&api, token, &shop).await?)?;
    let evil = [("origin", "https://shop.example.evil")];
    let other = status(&api, token, &evil).await?;
    check("status_for_another_origin", STATUS, &other)?;
    let unknown = status(&api, "unknown", &[]).await?;
    check("status_not_found", STATUS, &unknown)
}

#[tokio::test]
async fn the_status_of_a_checkout_is_final_when_the_shopper_is_done() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let created = api.checkout(&order(PAYMENT)).await?;
    let token = created.token()?;
    check("status_open", STATUS, &status(&api, token, &[]).await?)?;
    api.report("../callbacks-2/confirm_sale_done.json").await?;
    let awaiting = status(&api, token, &[]).await?;
    check("status_awaiting_confirmation", STATUS, &awaiting)
}

#[tokio::test]
async fn the_status_of_a_checkout_is_final_when_the_checkout_has_expired() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let mut short = order(PAYMENT);
    short["expires_in"] = json!(1);
    let created = api.checkout(&short).await?;
    api.report("redirect_get.json").await?;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let expired = status(&api, created.token()?, &[]).await?;
    check("status_expired", STATUS, &expired)?;
    check("payment_expired", SHOW, &api.payment(PAYMENT).await?)
}
