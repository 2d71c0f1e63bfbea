//! Tests the page for each result, and the URL to which the return redirects.

use std::time::Duration;

use anyhow::ensure;
use api::routes::{RETURN, RETURN_BY_POST, STATUS};
use api::{Api, Call, PAYMENT, order};
use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use payments::service::checkout::token::TokenSecret;
use serde_json::json;

use crate::{IMMEDIATELY, Shopper};

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
async fn a_shopper_whom_the_bank_returns_by_a_form_is_redirected_to_the_shop() -> anyhow::Result<()>
{
    let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    shopper.api.report("sale_success.json").await?;
    let shop = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    for body in ["", "PaRes=abc&MD=%00", "{not a form"] {
        let call = Call {
            route: RETURN_BY_POST,
            parameters: &[&shopper.token],
            body: body.into(),
            ..Call::default()
        };
        let back = shopper.api.call(call).await?;
        ensure!(back.status == 303, "{body}: {back:?}");
        ensure!(back.location() == Some(shop.as_str()), "{body}: {back:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_page_of_a_checkout_shows_its_outcome() -> anyhow::Result<()> {
    const DECLINED: &str = "The payment was declined";
    const BEING_CHECKED: &str = "Your payment is being checked";
    const NOT_STARTED: &str = "The payment was not started";
    for (file, title) in [
        ("sale_decline_customer.json", DECLINED),
        ("error_validation.json", NOT_STARTED),
        ("amount_differs.json", BEING_CHECKED),
        ("../callbacks-2/confirm_sale_done.json", BEING_CHECKED),
    ] {
        let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
        shopper.api.report(file).await?;
        let page = shopper.page().await?;
        ensure!(page.status == 200, "{file}: {page:?}");
        for other in [DECLINED, BEING_CHECKED, NOT_STARTED] {
            let is_shown = page.text.contains(&format!("<h1>{other}</h1>"));
            ensure!(is_shown == (other == title), "{file}: {}", page.text);
        }
    }
    Ok(())
}

/// The sale has succeeded, but no report says yet whether its money counts.
#[tokio::test]
async fn the_page_says_that_the_payment_is_being_checked_when_its_result_is_unknown()
-> anyhow::Result<()> {
    let shopper = Shopper::new(Duration::from_secs(60), &order(PAYMENT)).await?;
    let file = "../callbacks-2/external_processing_sale_done.json";
    shopper.api.report(file).await?;
    let page = shopper.page().await?;
    let title = "<h1>Your payment is being checked</h1>";
    ensure!(page.status == 200 && page.text.contains(title), "{page:?}");
    Ok(())
}

#[tokio::test]
async fn a_page_has_the_language_of_the_checkout_or_else_of_the_browser() -> anyhow::Result<()> {
    for (chosen, expected) in [(Some("nl"), "nl"), (None, "fr")] {
        let mut order = order(PAYMENT);
        order["language"] = json!(chosen);
        let shopper = Shopper::new(Duration::from_secs(60), &order).await?;
        let file = "../callbacks-2/confirm_sale_done.json";
        shopper.api.report(file).await?;
        let page = shopper.page_in("fr-BE, de;q=0.5").await?;
        ensure!(page.headers["content-language"] == expected, "{page:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_token_of_a_paid_payment_leads_to_the_shop() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.gate.refuse("3061");
    let refused = api.checkout(&order(PAYMENT)).await?;
    ensure!(refused.status == 422, "{refused:?}");
    api.gate.accept();
    let created = api.checkout(&order(PAYMENT)).await?;
    ensure!(created.status == 201, "{created:?}");
    api.report("sale_success.json").await?;

    let secret = TokenSecret::new(&"s".repeat(32));
    let key = PaymentKey::new(ProjectId::new(211)?, PAYMENT);
    let first = secret.map(|secret| secret.token(&key, 0));
    let second = created.token()?.to_owned();
    ensure!(first.as_ref() != Some(&second));
    let mut shopper = Shopper { api, token: second };
    let shop = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    for token in [Some(shopper.token.clone()), first].into_iter().flatten() {
        shopper.token = token;
        let page = shopper.page().await?;
        ensure!(page.location() == Some(shop.as_str()), "{page:?}");
        let status = shopper.get(STATUS).await?;
        ensure!(status.json["status"] == "succeeded", "{status:?}");
    }
    Ok(())
}
