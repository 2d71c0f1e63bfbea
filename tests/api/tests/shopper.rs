//! The shopper's pages when the redirect URL is late, the checkout has expired, or the payment awaits its confirmation.
#![allow(clippy::indexing_slicing)]

use std::time::Duration;

use anyhow::ensure;
use api::routes::{FORM, PAGE, RETURN, STATUS};
use api::{Answer, Api, Call, PAYMENT, order};
use ecommpay::fields::ProjectId;
use futures_util::future::join_all;
use payments::PaymentKey;
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

/// The next attempt can belong to another shopper with another address.
#[tokio::test]
async fn a_token_of_an_earlier_attempt_shows_how_that_attempt_ended() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.gate.refuse("2004");
    let refused = api.checkout(&order(PAYMENT)).await?;
    ensure!(refused.status == 422, "{refused:?}");
    let tokens = &api.checkouts.tokens.get().await?;
    let old = tokens.token(&PaymentKey::new(ProjectId::new(211)?, PAYMENT), 0);

    api.gate.accept();
    let mut next = order(PAYMENT);
    next["return_url"] = json!("https://shop.example/second");
    next["customer"]["last_name"] = json!("Peeters");
    let created = api.checkout(&next).await?;
    ensure!(created.status == 201, "{created:?}");
    let new = created.token()?.to_owned();
    ensure!(old != new);
    let get = async |route: &str, token: &str| {
        api.call(Call {
            route,
            parameters: &[token],
            ..Call::default()
        })
        .await
    };
    let first_url = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    let second_url = format!("https://shop.example/second?payment_id={PAYMENT}");

    for (file, current) in [
        ("clarification_last_name.json", "awaiting_clarification"),
        ("redirect_get.json", "awaiting_customer"),
    ] {
        api.report(file).await?;
        let open = get(STATUS, &new).await?;
        ensure!(open.json["status"] == current, "{open:?}");
        let page = get(PAGE, &old).await?;
        ensure!(page.status == 200, "{file}: {page:?}");
        ensure!(
            page.text.contains("The payment was not started"),
            "{}",
            page.text
        );
        ensure!(page.text.contains(&first_url), "{}", page.text);
        ensure!(!page.text.contains("/second"), "{}", page.text);
        let status = get(STATUS, &old).await?;
        let expected = json!({ "status": "failed", "final": true, "checkout": "done" });
        ensure!(status.json == expected, "{status:?}");
        let back = get(RETURN, &old).await?;
        ensure!(back.location() == Some(&first_url), "{back:?}");
        let sent = api.gate.requests().len();
        let form = Call {
            route: FORM,
            parameters: &[&old],
            body: "last_name=Janssens".to_owned(),
            ..Call::default()
        };
        ensure!(api.call(form).await?.status == 303);
        ensure!(api.gate.requests().len() == sent, "the old token sent data");
    }
    api.report("sale_success.json").await?;
    for (token, url) in [(&old, &first_url), (&new, &second_url)] {
        let page = get(PAGE, token).await?;
        ensure!(page.location() == Some(url), "{page:?}");
        let status = get(STATUS, token).await?;
        ensure!(status.json["status"] == "succeeded", "{status:?}");
    }
    Ok(())
}

/// Many browsers can open one checkout. Each waiting request occupies an instance of the function.
#[tokio::test]
async fn only_one_request_of_a_checkout_waits_and_the_others_are_answered_immediately()
-> anyhow::Result<()> {
    let shopper = Shopper::new(Duration::from_secs(60), &order(PAYMENT)).await?;
    for route in [PAGE, RETURN] {
        let answers = join_all((0..5).map(|_| shopper.get(route))).await;
        let answers: Vec<Answer> = answers.into_iter().collect::<anyhow::Result<_>>()?;
        let is_sent_away = |answer: &&Answer| {
            let refresh = answer.headers.get("refresh");
            answer.status == 200 && refresh.is_some_and(|seconds| seconds == "4")
        };
        let sent_away = answers.iter().filter(is_sent_away).count();
        ensure!(sent_away == 4, "{route}: {answers:?}");
    }
    // The slot is free again.
    let page = shopper.page().await?;
    ensure!(
        page.headers
            .get("refresh")
            .is_some_and(|seconds| seconds == "1"),
        "{page:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_ready_checkout_needs_no_slot() -> anyhow::Result<()> {
    let shopper = Shopper::new(Duration::from_secs(60), &order(PAYMENT)).await?;
    shopper.api.report("redirect_get.json").await?;
    shopper.api.wire.forget();
    let page = shopper.page().await?;
    ensure!(page.status == 303, "{page:?}");
    ensure!(!shopper.api.has_written(), "{:?}", shopper.api.wire.calls());
    Ok(())
}

#[tokio::test]
async fn a_poll_that_the_platform_refuses_for_its_key_is_sent_again_with_the_new_key()
-> anyhow::Result<()> {
    let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    let rotated = r#"{"211":{"current":"a-new-key","previous":"test-secret-key"}}"#;
    shopper.api.wire.set_secret(rotated);
    shopper.api.gate.require_key("a-new-key")?;
    let bank = "https://bank.example/enter";
    shopper.api.gate.answer_status(status_answer(Some(bank)))?;
    let page = shopper.page().await?;
    ensure!(page.location() == Some(bank), "{}", page.text);
    ensure!(shopper.api.gate.polls() == 2);
    Ok(())
}
