//! The shopper's pages: a lost redirect, an end, a payment that waits for its confirmation.
#![allow(clippy::indexing_slicing)]

use std::time::Duration;

use anyhow::ensure;
use api::{Answer, Api, Call, PAYMENT, order};
use serde_json::{Value, json};

/// The waiting page's word for a redirect URL that may be lost.
const MISSING: &str = "Bancontact has not answered yet.";

struct Shop {
    api: Api,
    token: String,
}

impl Shop {
    /// A Gate sale that was taken, and no callback about it. Its redirect URL is polled for after
    /// a delay.
    async fn new(delay: Duration, order: &Value) -> anyhow::Result<Self> {
        let mut api = Api::start().await?;
        api.checkouts.payments.schedule.redirect_poll_delay = delay;
        let created = api.checkout(order).await?;
        let url = created.json["checkout_url"].as_str().unwrap_or_default();
        let (_, token) = url.rsplit_once('/').unwrap_or_default();
        Ok(Self {
            token: token.to_owned(),
            api,
        })
    }

    async fn get(&self, route: &str) -> anyhow::Result<Answer> {
        let call = Call {
            route,
            parameters: &[&self.token],
            ..Call::default()
        };
        self.api.call(call).await
    }

    async fn hand_over(&self) -> anyhow::Result<Answer> {
        self.get("GET /checkouts/{token}").await
    }
}

fn answer(redirect: Option<&str>) -> Value {
    let sum = json!({ "amount": 1000, "currency": "EUR" });
    let mut answer = json!({
        "project_id": 211,
        "payment": {
            "id": PAYMENT, "type": "purchase", "status": "awaiting redirect result",
            "date": "2019-07-02T09:28:29+0000", "sum": sum,
        },
        "operations": [{
            "id": 37493000003351_u64, "type": "sale", "status": "awaiting redirect result",
            "date": "2019-07-02T09:28:29+0000", "created_date": "2019-07-02T09:28:24+0000",
            "request_id": "7e08d48c4f5da3692b65e5426f44ed36896e569c", "sum_initial": sum,
        }],
    });
    if let Some(url) = redirect {
        answer["redirect_data"] = json!({ "method": "GET", "body": [], "url": url });
    }
    answer
}

const AT_ONCE: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_redirect_whose_callback_is_lost_is_polled_for_once_by_the_page() -> anyhow::Result<()> {
    let shop = Shop::new(AT_ONCE, &order(PAYMENT)).await?;
    shop.api.gate.answer_status(answer(None))?;
    let page = shop.hand_over().await?;
    ensure!(
        page.status == 200 && page.text.contains(MISSING),
        "{}",
        page.text
    );
    let back = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    ensure!(page.text.contains(&back), "{}", page.text);
    ensure!(page.headers.contains_key("refresh"));
    ensure!(shop.api.gate.polls() == 1);

    // The callback comes after all.
    shop.api.report("redirect_get.json").await?;
    let page = shop.hand_over().await?;
    ensure!(page.status == 303, "{}", page.text);
    ensure!(shop.api.gate.polls() == 1);
    Ok(())
}

#[tokio::test]
async fn a_poll_that_brings_the_redirect_leads_to_the_bank() -> anyhow::Result<()> {
    let shop = Shop::new(AT_ONCE, &order(PAYMENT)).await?;
    let bank = "https://bank.example/enter";
    shop.api.gate.answer_status(answer(Some(bank)))?;
    let page = shop.hand_over().await?;
    ensure!(
        page.headers.get("location").map(String::as_str) == Some(bank),
        "{}",
        page.text
    );
    Ok(())
}

#[tokio::test]
async fn a_poll_that_fails_leaves_the_waiting_page() -> anyhow::Result<()> {
    let shop = Shop::new(AT_ONCE, &order(PAYMENT)).await?;
    shop.api.gate.fail();
    let page = shop.hand_over().await?;
    ensure!(
        page.status == 200 && !page.text.contains(MISSING),
        "{}",
        page.text
    );
    ensure!(page.headers.contains_key("refresh"));
    ensure!(shop.api.gate.polls() == 1);
    Ok(())
}

#[tokio::test]
async fn a_page_within_the_first_seconds_polls_nothing() -> anyhow::Result<()> {
    let shop = Shop::new(Duration::from_secs(12), &order(PAYMENT)).await?;
    let page = shop.hand_over().await?;
    ensure!(page.status == 200, "{}", page.text);
    ensure!(shop.api.gate.polls() == 0);
    Ok(())
}

#[tokio::test]
async fn a_page_that_becomes_due_while_it_waits_polls() -> anyhow::Result<()> {
    let shop = Shop::new(Duration::from_secs(1), &order(PAYMENT)).await?;
    shop.api
        .gate
        .answer_status(answer(Some("https://bank.example/enter")))?;
    let page = shop.hand_over().await?;
    ensure!(page.status == 303, "{}", page.text);
    ensure!(shop.api.gate.polls() == 1);
    Ok(())
}

#[tokio::test]
async fn a_shopper_whose_payment_awaits_its_confirmation_has_nothing_more_to_do()
-> anyhow::Result<()> {
    let shop = Shop::new(AT_ONCE, &order(PAYMENT)).await?;
    shop.api
        .report("../callbacks-2/confirm_sale_done.json")
        .await?;
    let page = shop.hand_over().await?;
    ensure!(page.status == 200, "{}", page.text);
    ensure!(
        page.text.contains("Your payment is being checked"),
        "{}",
        page.text
    );
    let back = shop.get("GET /checkouts/{token}/return").await?;
    let location = back.headers.get("location").map(String::as_str);
    let expected = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    ensure!(
        back.status == 303 && location == Some(expected.as_str()),
        "{location:?}"
    );
    ensure!(shop.api.gate.polls() == 0);
    Ok(())
}

#[tokio::test]
async fn a_checkout_that_has_expired_says_so_and_polls_nothing() -> anyhow::Result<()> {
    let mut short = order(PAYMENT);
    short["expires_in"] = json!(1);
    let shop = Shop::new(AT_ONCE, &short).await?;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let page = shop.hand_over().await?;
    ensure!(page.status == 410, "{}", page.text);
    ensure!(shop.api.gate.polls() == 0);
    Ok(())
}
