//! A shopper's browser, as far as it takes no browser.

use anyhow::{Context, ensure};
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};

use crate::eventually;

/// A browser that follows redirects one at a time, so that each can be looked at.
#[derive(Debug, Clone)]
pub struct Shopper {
    http: Client,
}

impl Shopper {
    /// A new browser.
    ///
    /// # Errors
    ///
    /// When the HTTP client cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .build()?;
        Ok(Self { http })
    }

    /// Opens a checkout, waits where it says so, and gives the bank's address.
    ///
    /// # Errors
    ///
    /// When the checkout does not lead to the bank in time.
    pub async fn bank_of(&self, checkout_url: &str) -> anyhow::Result<String> {
        eventually("the hand-off to the bank", || async {
            let response = self.http.get(checkout_url).send().await?;
            match response.status() {
                StatusCode::SEE_OTHER => location(&response).map(Some),
                StatusCode::OK => Ok(None),
                status => anyhow::bail!("the checkout answered {status}"),
            }
        })
        .await
    }

    /// Pushes a button of the bank's page (`pay`, `decline`, `walk-away`) and gives the address to
    /// which the bank sends the browser.
    ///
    /// # Errors
    ///
    /// When the bank does not send it anywhere.
    pub async fn push(&self, bank: &str, button: &str) -> anyhow::Result<String> {
        let page = self.http.get(bank).send().await?;
        ensure!(
            page.status() == StatusCode::OK,
            "the bank answered {}",
            page.status()
        );
        let response = self.http.post(format!("{bank}/{button}")).send().await?;
        location(&response)
    }

    /// Sends a checkout's form, whatever the answer is.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn fill_in(&self, checkout_url: &str, fields: &[(&str, &str)]) -> anyhow::Result<()> {
        self.http.post(checkout_url).form(fields).send().await?;
        Ok(())
    }

    /// Follows one redirect and gives its target.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn follow(&self, address: &str) -> anyhow::Result<String> {
        location(&self.http.get(address).send().await?)
    }
}

fn location(response: &Response) -> anyhow::Result<String> {
    ensure!(
        response.status() == StatusCode::SEE_OTHER,
        "{} answered {} instead of a redirect",
        response.url().path(),
        response.status()
    );
    let location = response
        .headers()
        .get(header::LOCATION)
        .context("A redirect has no address")?;
    Ok(location.to_str()?.to_owned())
}
