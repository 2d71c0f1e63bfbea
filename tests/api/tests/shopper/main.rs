//! The shopper's pages when the redirect URL is late, the checkout has expired, or the payment awaits its confirmation.
#![allow(clippy::indexing_slicing)]

use std::time::Duration;

use anyhow::ensure;
use api::routes::{PAGE, RETURN};
use api::{Answer, Api, Call, PAYMENT, order};
use serde_json::{Value, json};

/// The text of the waiting page when the redirect URL may be lost.
const MISSING: &str = "Bancontact has not answered yet.";

/// A checkout and its token.
struct Shopper {
    api: Api,
    token: String,
}

impl Shopper {
    /// Creates a checkout whose sale Gate has accepted and about which no callback has arrived. `delay` is the time
    /// until the status poll for the redirect URL.
    async fn new(delay: Duration, order: &Value) -> anyhow::Result<Self> {
        let mut api = Api::start().await?;
        api.checkouts.payments.schedule.redirect_poll_delay = delay;
        let created = api.checkout(order).await?;
        Ok(Self {
            token: created.token()?.to_owned(),
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

    async fn page(&self) -> anyhow::Result<Answer> {
        self.get(PAGE).await
    }
}

/// Returns the platform's answer to a status request.
fn status_answer(redirect: Option<&str>) -> Value {
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

const IMMEDIATELY: Duration = Duration::from_millis(1);

#[tokio::test]
async fn the_page_polls_once_when_the_callback_with_the_redirect_url_is_lost() -> anyhow::Result<()>
{
    let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    shopper.api.gate.answer_status(status_answer(None))?;
    let page = shopper.page().await?;
    ensure!(
        page.status == 200 && page.text.contains(MISSING),
        "{}",
        page.text
    );
    let back = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    ensure!(page.text.contains(&back), "{}", page.text);
    ensure!(page.headers.contains_key("refresh"));
    ensure!(shopper.api.gate.polls() == 1);

    // The callback arrives after all.
    shopper.api.report("redirect_get.json").await?;
    let page = shopper.page().await?;
    ensure!(page.status == 303, "{}", page.text);
    ensure!(shopper.api.gate.polls() == 1);
    Ok(())
}

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
async fn the_page_keeps_waiting_when_the_poll_fails() -> anyhow::Result<()> {
    let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    shopper.api.gate.fail();
    let page = shopper.page().await?;
    ensure!(
        page.status == 200 && !page.text.contains(MISSING),
        "{}",
        page.text
    );
    ensure!(page.headers.contains_key("refresh"));
    ensure!(shopper.api.gate.polls() == 1);
    Ok(())
}

#[tokio::test]
async fn the_page_does_not_poll_before_the_delay() -> anyhow::Result<()> {
    let shopper = Shopper::new(Duration::from_secs(12), &order(PAYMENT)).await?;
    let page = shopper.page().await?;
    ensure!(page.status == 200, "{}", page.text);
    ensure!(shopper.api.gate.polls() == 0);
    Ok(())
}

#[tokio::test]
async fn the_page_polls_when_the_delay_ends_while_it_waits() -> anyhow::Result<()> {
    let shopper = Shopper::new(Duration::from_secs(1), &order(PAYMENT)).await?;
    shopper
        .api
        .gate
        .answer_status(status_answer(Some("https://bank.example/enter")))?;
    let page = shopper.page().await?;
    ensure!(page.status == 303, "{}", page.text);
    ensure!(shopper.api.gate.polls() == 1);
    Ok(())
}

#[tokio::test]
async fn the_page_says_that_the_payment_is_being_checked_when_it_awaits_its_confirmation()
-> anyhow::Result<()> {
    let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    shopper
        .api
        .report("../callbacks-2/confirm_sale_done.json")
        .await?;
    let page = shopper.page().await?;
    ensure!(page.status == 200, "{}", page.text);
    ensure!(
        page.text.contains("Your payment is being checked"),
        "{}",
        page.text
    );
    let back = shopper.get(RETURN).await?;
    let expected = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    ensure!(
        back.status == 303 && back.location() == Some(expected.as_str()),
        "{back:?}"
    );
    ensure!(shopper.api.gate.polls() == 0);
    Ok(())
}

#[tokio::test]
async fn the_page_of_an_expired_checkout_is_answered_410_without_a_poll() -> anyhow::Result<()> {
    let mut short = order(PAYMENT);
    short["expires_in"] = json!(1);
    let shopper = Shopper::new(IMMEDIATELY, &short).await?;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let page = shopper.page().await?;
    ensure!(page.status == 410, "{}", page.text);
    ensure!(shopper.api.gate.polls() == 0);
    Ok(())
}

#[tokio::test]
async fn a_paid_checkout_is_answered_with_303_to_the_shop() -> anyhow::Result<()> {
    let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    shopper.api.report("sale_success.json").await?;
    let page = shopper.page().await?;
    ensure!(page.status == 303, "{}", page.text);
    let shop = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    ensure!(page.location() == Some(shop.as_str()), "{page:?}");
    Ok(())
}

#[tokio::test]
async fn an_unknown_token_is_answered_404_without_a_wait() -> anyhow::Result<()> {
    let mut shopper = Shopper::new(Duration::from_secs(60), &order(PAYMENT)).await?;
    shopper.token = "x".repeat(32);
    let before = shopper.api.wire.calls().len();
    let page = shopper.page().await?;
    ensure!(page.status == 404, "{}", page.text);
    ensure!(
        shopper.api.wire.calls().len() == before + 1,
        "the page must make one call, which reads the token"
    );
    Ok(())
}
