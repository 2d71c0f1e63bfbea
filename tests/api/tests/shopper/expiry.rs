//! Tests the calls that still work after a checkout has expired.

use std::time::Duration;

use anyhow::{Context, ensure};
use api::routes::{CLARIFICATION, FORM, RETURN, STATUS};
use api::{Call, PAYMENT, order};
use aws::dynamodb::attributes::{read_number, text};
use aws_sdk_dynamodb::Client;
use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use payments::ports::PaymentStore;
use payments::service::checkout::token;
use serde_json::json;
use wire::TABLE;

use crate::{IMMEDIATELY, Shopper};

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
async fn the_data_of_an_expired_checkout_is_sent_by_the_storefront_and_not_by_the_page()
-> anyhow::Result<()> {
    let shopper = Shopper::new(Duration::from_secs(60), &order(PAYMENT)).await?;
    let api = &shopper.api;
    api.report("clarification_last_name.json").await?;
    let open = shopper.page().await?;
    ensure!(
        open.status == 200 && open.text.contains("<form"),
        "{open:?}"
    );

    api.expire(PAYMENT).await?;
    let expired = shopper.page().await?;
    ensure!(expired.status == 410, "{expired:?}");
    ensure!(!expired.text.contains("<form"), "{}", expired.text);
    let sent = api.gate.requests().len();
    let form = Call {
        route: FORM,
        parameters: &[&shopper.token],
        body: "customer.last_name=Janssens".into(),
        ..Call::default()
    };
    let form = api.call(form).await?;
    let url = format!("https://api.example/checkouts/{}", shopper.token);
    ensure!(form.status == 303, "{form:?}");
    ensure!(form.location() == Some(url.as_str()), "{form:?}");
    ensure!(api.gate.requests().len() == sent, "the page sent the data");

    let data = json!({ "customer": { "last_name": "Janssens" } });
    let accepted = api.post(CLARIFICATION, &[PAYMENT], &data).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    let requests = api.gate.requests();
    ensure!(requests.len() == sent + 1, "{requests:?}");
    ensure!(requests[sent].0 == "/v2/payment/clarification");
    Ok(())
}

#[tokio::test]
async fn the_return_and_the_status_of_an_expired_checkout_are_still_answered() -> anyhow::Result<()>
{
    let shopper = Shopper::new(Duration::from_secs(60), &order(PAYMENT)).await?;
    shopper.api.report("redirect_get.json").await?;
    shopper.api.expire(PAYMENT).await?;
    let page = shopper.page().await?;
    ensure!(page.status == 410, "{page:?}");
    let status = shopper.get(STATUS).await?;
    let expected = json!({ "status": "awaiting_customer", "final": true, "checkout": "expired" });
    ensure!(status.json == expected, "{status:?}");

    // The payment is decided, so the return route does not wait.
    let declined = "sale_decline_customer.json";
    shopper.api.report(declined).await?;
    let back = shopper.get(RETURN).await?;
    let shop = format!("https://shop.example/thanks?payment_id={PAYMENT}");
    ensure!(back.location() == Some(shop.as_str()), "{back:?}");
    Ok(())
}

#[tokio::test]
async fn a_token_is_stored_for_31_days_after_its_checkout_expires() -> anyhow::Result<()> {
    let Shopper { api, token } = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    let pk = format!("checkout#{}", token::hash(&token));
    let read = Client::new(api.wire.config()).get_item().table_name(TABLE);
    let read = read.key("pk", text(pk)).key("sk", text("checkout"));
    let item = read.send().await?.item;
    let item = item.context("the token is not stored")?;

    let key = PaymentKey::new(ProjectId::new(211)?, PAYMENT);
    let stored = api.checkouts.payments.store.load(&key).await?;
    let stored = stored.context("there is no payment")?;
    let order = stored.payment.order().context("there is no order")?;
    let end = order.expires_at.after(Duration::from_secs(31 * 24 * 3_600));
    let seconds = u64::try_from(end.unix_seconds())?;
    ensure!(read_number(&item, "expires_at")? == seconds, "{item:?}");
    Ok(())
}
