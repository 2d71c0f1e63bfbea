//! Tests the pages of a checkout, and the answer to a checkout request that waits for the redirect.

use anyhow::{Context, ensure};
use e2e::storefront::checkout_url;
use e2e::system::System;
use e2e::{ensure_contains, eventually};
use sandbox::Options;
use serde_json::{Value, json};

#[tokio::test]
async fn the_checkout_pages_show_a_redirect_a_decline_and_an_unknown_token() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let unknown = format!("{}/checkouts/unknown-token", system.ready().api);
    system.shopper.page_with(&unknown, 404, "not known").await?;
    let request = system.shopper.http.get(&unknown);
    let request = request.header("X-Forwarded-Proto", "a b");
    let status = request.send().await?.status();
    ensure!(
        status == 404,
        "with a header that is no URL scheme: {status}"
    );
    let checkout = a_request_that_prefers_to_wait_is_answered_with_the_redirect(&system).await?;
    a_decline_is_shown_to_the_shopper_and_the_storefront(&system, &checkout).await?;
    a_redirect_by_post_is_a_form_with_escaped_values(&system).await?;
    system.stop().await;
    Ok(())
}

async fn a_request_that_prefers_to_wait_is_answered_with_the_redirect(
    system: &System,
) -> anyhow::Result<Value> {
    let ready = system.ready();
    let request = system.shopper.http.post(format!("{}/checkouts", ready.api));
    let request = request.bearer_auth(&ready.storefront_key);
    let request = request.header("Prefer", "wait=10");
    let order = system.storefront.order("waited");
    let response = request.json(&order).send().await?;
    ensure!(response.status() == 201, "{}", response.status());
    let location = response.headers().get("location").cloned();
    let location = location.context("the answer has no location")?;
    let checkout: Value = response.json().await?;
    ensure!(checkout_url(&checkout)? == location.to_str()?, "{checkout}");
    let redirect = checkout["redirect"]["url"].as_str();
    ensure!(
        redirect.is_some_and(|url| url.starts_with(&ready.platform)),
        "{checkout}"
    );
    Ok(checkout)
}

async fn a_decline_is_shown_to_the_shopper_and_the_storefront(
    system: &System,
    checkout: &Value,
) -> anyhow::Result<()> {
    let shopper = &system.shopper;
    let bank_page = shopper.bank_page(checkout).await?;
    let return_url = shopper.press(&bank_page, "decline").await?;
    let shop = shopper.follow(&return_url).await?;
    ensure!(shop.ends_with("/thanks?payment_id=waited"), "{shop}");
    let declined = system.storefront.until("waited", "declined").await?;
    ensure_contains(&declined, json!({ "decline": { "code": "20301" } }))?;
    let advice = declined["decline"]["advice"].as_str().unwrap_or_default();
    ensure!(advice.contains("tried again"), "{declined}");
    let page = checkout_url(checkout)?;
    shopper.page_with(page, 200, "was declined").await?;
    let status = shopper.checkout_status(checkout).await?;
    let expected = json!({ "status": "declined", "final": true, "checkout": "done" });
    ensure!(status == expected, "{status}");
    Ok(())
}

async fn a_redirect_by_post_is_a_form_with_escaped_values(system: &System) -> anyhow::Result<()> {
    let post = json!({ "redirect_method": "POST" });
    system.simulator.set_faults("form", post).await?;
    let checkout = system.storefront.create("form").await?;
    let (page, policy) = eventually("the form", async || {
        let response = system.shopper.http.get(checkout_url(&checkout)?);
        let response = response.send().await?;
        let policy = response.headers().get("content-security-policy").cloned();
        let page = response.text().await?;
        let has_form = page.contains("<form method=\"post\"");
        Ok(has_form.then_some((page, policy)))
    })
    .await?;
    let policy = policy
        .context("the page has no content security policy")?
        .to_str()?
        .to_owned();
    ensure!(
        policy.starts_with("default-src 'none'") && !policy.contains("form-action"),
        "{policy}"
    );
    ensure!(
        page.contains("&lt;1+1&gt;") && !page.contains("<1+1>"),
        "{page}"
    );
    Ok(())
}
