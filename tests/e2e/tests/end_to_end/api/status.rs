//! Tests which pages may read `GET /checkouts/{token}/status`.

use anyhow::ensure;
use e2e::storefront::checkout_url;
use e2e::system::System;
use reqwest::Response;
use sandbox::Options;
use serde_json::Value;

#[tokio::test]
async fn the_checkout_status_is_readable_only_by_pages_of_the_storefronts_origins()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let shop = system.ready().shop.clone();
    let checkout = system.storefront.create("watched").await?;
    let url = checkout_url(&checkout)?;
    ensure!(allowed_origin(&system, url, Some(&shop)).await? == Some(shop.clone()));
    let others = [
        "https://evil.example",
        "null",
        &format!("{shop}0"),
        &format!("{shop}/"),
        &shop.replace("http:", "https:"),
        &system.ready().api,
    ];
    for origin in others.into_iter().map(Some).chain([None]) {
        let allowed = allowed_origin(&system, url, origin).await?;
        ensure!(allowed.is_none(), "{origin:?} is allowed as {allowed:?}");
    }
    // The other routes need no CORS headers.
    let page = system.shopper.http.get(url).header("Origin", &shop);
    let page = page.send().await?;
    let allowed = header(&page, "access-control-allow-origin");
    ensure!(allowed.is_none(), "the page is allowed as {allowed:?}");
    system.stop().await;
    Ok(())
}

/// Returns the origin that the answer allows.
async fn allowed_origin(
    system: &System,
    checkout_url: &str,
    origin: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let mut request = system.shopper.http.get(format!("{checkout_url}/status"));
    if let Some(origin) = origin {
        request = request.header("Origin", origin);
    }
    let response = request.send().await?.error_for_status()?;
    let allowed = header(&response, "access-control-allow-origin");
    let vary = header(&response, "vary");
    ensure!(vary.as_deref() == Some("origin"), "vary: {vary:?}");
    let credentials = header(&response, "access-control-allow-credentials");
    ensure!(credentials.is_none(), "requests with cookies are allowed");
    let status: Value = response.json().await?;
    let fields = status.as_object().map(|fields| fields.len());
    ensure!(fields == Some(3), "{status}");
    Ok(allowed)
}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}
