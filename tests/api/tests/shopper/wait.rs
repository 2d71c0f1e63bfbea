//! Tests which requests of a shopper wait, and their status polls.

use std::time::Duration;

use anyhow::{Context, ensure};
use api::routes::{PAGE, RETURN};
use api::{Answer, Api, PAYMENT, order};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use payments::Timestamp;
use serde_json::{Value, json};
use wire::TABLE;

use crate::{IMMEDIATELY, MISSING, Shopper, status_answer};

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

    shopper.api.report("redirect_get.json").await?;
    let page = shopper.page().await?;
    ensure!(page.status == 303, "{}", page.text);
    ensure!(shopper.api.gate.polls() == 1);
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

/// No status poll is due in this test, so the page cannot know whether the redirect URL is lost.
#[tokio::test]
async fn the_page_says_that_bancontact_has_not_answered_20_s_after_the_start() -> anyhow::Result<()>
{
    let shopper = Shopper::new(Duration::from_secs(60), &order(PAYMENT)).await?;
    let back = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    for (seconds, is_late) in [(12, false), (20, true)] {
        start_earlier(&shopper.api, Duration::from_secs(seconds)).await?;
        let page = shopper.page().await?;
        ensure!(page.status == 200, "{page:?}");
        ensure!(page.text.contains(MISSING) == is_late, "{}", page.text);
        ensure!(page.text.contains(&back), "{}", page.text);
        ensure!(page.headers.contains_key("refresh"), "{page:?}");
    }
    Ok(())
}

/// Changes the stored attempt so that it started this long ago.
async fn start_earlier(api: &Api, ago: Duration) -> anyhow::Result<()> {
    let client = Client::new(api.wire.config());
    let pk = AttributeValue::S(format!("payment#211/{}", PAYMENT.to_ascii_lowercase()));
    let sk = AttributeValue::S("payment".into());
    let get = client.get_item().table_name(TABLE);
    let item = get
        .key("pk", pk.clone())
        .key("sk", sk.clone())
        .send()
        .await?;
    let document = item
        .item()
        .and_then(|item| item.get("document")?.as_s().ok());
    let mut document: Value = serde_json::from_str(document.context("there is no payment")?)?;
    let started_at = document
        .pointer_mut("/attempt/started_at")
        .context("the payment has no attempt")?;
    let start = Timestamp::now().before(ago).unix_seconds() * 1_000;
    *started_at = match started_at.is_string() {
        true => json!(start.to_string()),
        false => json!(start),
    };
    let update = client.update_item().table_name(TABLE);
    let update = update.key("pk", pk).key("sk", sk);
    let update = update.update_expression("SET document = :document");
    let document = AttributeValue::S(document.to_string());
    let update = update.expression_attribute_values(":document", document);
    update.send().await?;
    Ok(())
}

#[tokio::test]
async fn the_page_polls_when_the_delay_ends_during_the_wait() -> anyhow::Result<()> {
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

#[tokio::test]
async fn a_final_checkout_is_answered_without_a_wait() -> anyhow::Result<()> {
    for file in [
        "sale_success.json",
        "sale_decline_customer.json",
        "amount_differs.json",
        "../callbacks-2/confirm_sale_done.json",
    ] {
        let shopper = Shopper::new(Duration::from_secs(60), &order(PAYMENT)).await?;
        shopper.api.report(file).await?;
        shopper.api.wire.forget();
        shopper.page().await?;
        let calls = shopper.api.wire.calls();
        // The token and the payment, each once.
        ensure!(calls == ["GetItem", "GetItem"], "{file}: {calls:?}");
    }
    Ok(())
}

/// Each waiting request occupies an instance of the function, and many browsers can open one checkout. Therefore only
/// one request waits. The page of this request reloads itself after 1 s, and all other pages after 4 s.
#[tokio::test]
async fn only_one_request_of_a_checkout_waits_and_the_others_are_answered_immediately()
-> anyhow::Result<()> {
    let shopper = Shopper::new(Duration::from_secs(60), &order(PAYMENT)).await?;
    for route in [PAGE, RETURN] {
        let answers = join_all((0..5).map(|_| shopper.get(route))).await;
        let answers: Vec<Answer> = answers.into_iter().collect::<anyhow::Result<_>>()?;
        let is_answered_immediately = |answer: &&Answer| {
            let refresh = answer.headers.get("refresh");
            let seconds = refresh.and_then(|text| text.split(';').next());
            answer.status == 200 && seconds == Some("4")
        };
        let immediate = answers.iter().filter(is_answered_immediately).count();
        ensure!(immediate == 4, "{route}: {answers:?}");
    }
    // The requests above have ended, so this request gets the slot and waits.
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
async fn a_checkout_with_a_redirect_url_is_answered_without_a_wait_slot() -> anyhow::Result<()> {
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
