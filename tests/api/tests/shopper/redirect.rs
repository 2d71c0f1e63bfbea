//! Tests the redirect of the browser to the bank.

use anyhow::ensure;
use api::{PAYMENT, order};
use serde_json::json;

use crate::{IMMEDIATELY, Shopper, status_answer};

#[tokio::test]
async fn the_page_redirects_to_the_bank_when_the_poll_returns_the_redirect_url()
-> anyhow::Result<()> {
    let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    let bank = "https://bank.example/enter";
    shopper.api.gate.answer_status(status_answer(Some(bank)))?;
    let page = shopper.page().await?;
    ensure!(page.location() == Some(bank), "{}", page.text);
    Ok(())
}

#[tokio::test]
async fn the_page_does_not_redirect_to_a_bank_without_https() -> anyhow::Result<()> {
    for url in [
        "http://bank.example/enter",
        "http://127.0.0.1/enter",
        "ftp://bank.example/enter",
        "javascript:alert(1)",
    ] {
        for method in ["GET", "POST"] {
            let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
            let mut answer = status_answer(Some(url));
            answer["redirect_data"]["method"] = json!(method);
            shopper.api.gate.answer_status(answer)?;
            let page = shopper.page().await?;
            ensure!(page.status == 200, "{method} {url}: {page:?}");
            ensure!(page.location().is_none(), "{method} {url}: {page:?}");
            ensure!(!page.text.contains(url), "{method} {url}: {}", page.text);
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_page_redirects_by_http_only_from_a_loopback_address_to_a_loopback_address()
-> anyhow::Result<()> {
    for (url, is_allowed) in [
        ("http://127.0.0.1/enter", true),
        ("http://bank.example/enter", false),
    ] {
        let mut shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
        shopper.api.checkouts.base_url = "http://127.0.0.1:1".into();
        shopper.api.gate.answer_status(status_answer(Some(url)))?;
        let page = shopper.page().await?;
        ensure!(page.location() == is_allowed.then_some(url), "{page:?}");
    }
    Ok(())
}
