//! Simulates a shopper's browser without scripts.

use anyhow::{Context, bail, ensure};
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use serde_json::Value;

use crate::eventually;
use crate::storefront::checkout_url;

/// A browser. It follows redirects only in [`Shopper::follow`].
#[derive(Debug, Clone)]
pub struct Shopper {
    /// A client that follows no redirects.
    pub http: Client,
}

impl Shopper {
    /// Returns a new browser.
    pub fn new() -> anyhow::Result<Self> {
        let http = Client::builder().no_proxy().redirect(Policy::none());
        Ok(Self {
            http: http.build()?,
        })
    }

    /// Opens a page, and returns its status and text.
    pub async fn page(&self, url: &str) -> anyhow::Result<(StatusCode, String)> {
        let response = self.http.get(url).send().await?;
        Ok((response.status(), response.text().await?))
    }

    /// Opens a page, and checks its status and a part of its text.
    pub async fn page_with(&self, url: &str, expected: u16, text: &str) -> anyhow::Result<String> {
        let (status, page) = self.page(url).await?;
        ensure!(
            status == expected && page.contains(text),
            "{url} answered {status}; expected {expected} and {text:?} in {page}"
        );
        Ok(page)
    }

    /// Returns the answer of `GET /checkouts/{token}/status`.
    pub async fn checkout_status(&self, checkout: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/status", checkout_url(checkout)?);
        let response = self.http.get(url).send().await?.error_for_status()?;
        Ok(response.json().await?)
    }

    /// Opens a checkout until it redirects. Returns the URL of the bank page.
    pub async fn bank_page(&self, checkout: &Value) -> anyhow::Result<String> {
        let url = checkout_url(checkout)?;
        eventually("the redirect to the bank", async || {
            let response = self.http.get(url).send().await?;
            match response.status() {
                StatusCode::SEE_OTHER => location(&response).map(Some),
                StatusCode::OK => Ok(None),
                status => bail!("the checkout answered {status}"),
            }
        })
        .await
    }

    /// Presses a button of the bank page: `pay`, `decline` or `walk-away`. Returns the URL of the redirect.
    pub async fn press(&self, bank_page: &str, button: &str) -> anyhow::Result<String> {
        let (status, _) = self.page(bank_page).await?;
        ensure!(status == StatusCode::OK, "the bank answered {status}");
        let response = self.http.post(format!("{bank_page}/{button}")).send();
        location(&response.await?)
    }

    /// Pays a checkout at the bank. Returns the URL of the redirect.
    pub async fn pay(&self, checkout: &Value) -> anyhow::Result<String> {
        let bank_page = self.bank_page(checkout).await?;
        self.press(&bank_page, "pay").await
    }

    /// Follows one redirect, and returns its target.
    pub async fn follow(&self, url: &str) -> anyhow::Result<String> {
        location(&self.http.get(url).send().await?)
    }
}

fn location(response: &Response) -> anyhow::Result<String> {
    ensure!(
        response.status() == StatusCode::SEE_OTHER,
        "{} answered {} instead of a redirect",
        response.url().path(),
        response.status()
    );
    let location = response.headers().get(header::LOCATION);
    Ok(location
        .context("A redirect has no address")?
        .to_str()?
        .to_owned())
}
