//! Tests what the page shows if the data of the clarification form was not accepted.

use std::time::Duration;

use anyhow::{Context, ensure};
use api::routes::{CALLBACKS, CLARIFICATION, FORM, PAGE};
use api::snapshot::callback;
use api::{Answer, Call, PAYMENT, order};
use ecommpay::{ProjectKey, signature};
use payments::Timestamp;
use serde_json::{Value, json};

use crate::{IMMEDIATELY, Shopper};

/// Creates a checkout for which the platform requests the last name.
async fn with_form() -> anyhow::Result<Shopper> {
    let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    let file = "clarification_last_name.json";
    shopper.api.report(file).await?;
    Ok(shopper)
}

async fn submit(shopper: &Shopper) -> anyhow::Result<Answer> {
    let call = Call {
        route: FORM,
        parameters: &[&shopper.token],
        body: "customer.last_name=Maes".into(),
        ..Call::default()
    };
    shopper.api.call(call).await
}

fn ensure_shown_again(page: &Answer, status: u16, text: &str) -> anyhow::Result<()> {
    ensure!(page.status == status, "{page:?}");
    ensure!(page.text.contains("value=\"Maes\""), "{}", page.text);
    ensure!(page.text.contains(text), "{}", page.text);
    Ok(())
}

#[tokio::test]
async fn a_form_that_gets_no_slot_keeps_its_values_and_says_that_the_data_was_not_sent()
-> anyhow::Result<()> {
    let mut shopper = with_form().await?;
    // With one slot for waits, forms also have one slot, number 1.
    shopper.api.checkouts.wait_slots = 1;
    let store = &shopper.api.checkouts.payments.store;
    let (now, until) = (
        Timestamp::now(),
        Timestamp::now().after(Duration::from_secs(60)),
    );
    ensure!(store.claim_wait_slot("1", now, until).await?);
    let sent = shopper.api.gate.requests().len();
    let page = submit(&shopper).await?;
    ensure_shown_again(&page, 200, "Your details have not been sent yet")?;
    ensure!(shopper.api.gate.requests().len() == sent);

    store.release_wait_slot("1", until).await?;
    let page = submit(&shopper).await?;
    ensure!(page.status == 303, "{page:?}");
    ensure!(shopper.api.gate.requests().len() == sent + 1);
    Ok(())
}

#[tokio::test]
async fn a_form_without_a_clear_answer_keeps_its_values_and_says_that_they_can_be_sent_again()
-> anyhow::Result<()> {
    let shopper = with_form().await?;
    shopper.api.gate.fail();
    let page = submit(&shopper).await?;
    ensure_shown_again(&page, 503, "Bancontact has not confirmed")?;
    shopper.api.gate.accept();
    let page = submit(&shopper).await?;
    ensure!(page.status == 303, "{page:?}");
    Ok(())
}

/// Creates a checkout for which the platform requests `fields`.
async fn requesting(fields: &Value) -> anyhow::Result<Shopper> {
    let shopper = Shopper::new(IMMEDIATELY, &order(PAYMENT)).await?;
    let file = callback("clarification_last_name.json");
    let mut body: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    body["clarification_fields"] = fields.clone();
    let members = body.as_object_mut().context("the callback is no object")?;
    members.remove("signature");
    let key = ProjectKey::new("test-secret-key")?;
    let signature = key.sign(&signature::canonical_of(&body)?).to_base64();
    body["signature"] = json!(signature);
    let answer = shopper.api.call(Call {
        route: CALLBACKS,
        body: body.to_string(),
        ..Call::default()
    });
    let answer = answer.await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(shopper)
}

#[tokio::test]
async fn the_page_leads_to_the_shop_when_no_request_can_carry_the_requested_data()
-> anyhow::Result<()> {
    for fields in [
        json!({ "customer": ["last-name"] }),
        json!({ "customer": ["x".repeat(65)] }),
    ] {
        let shopper = requesting(&fields).await?;
        let sent = shopper.api.gate.requests().len();
        let page = shopper.api.get(PAGE, &[&shopper.token]).await?;
        for page in [page, submit(&shopper).await?] {
            ensure!(page.status == 200, "{page:?}");
            ensure!(
                page.text.contains("Some details are missing"),
                "{}",
                page.text
            );
            ensure!(page.text.contains("Back to the shop"), "{}", page.text);
            ensure!(!page.text.contains("<form"), "{}", page.text);
        }
        let body = json!({ "customer": { "last_name": "Maes" } });
        let answer = shopper.api.post(CLARIFICATION, &[PAYMENT], &body).await?;
        ensure!(answer.status == 409, "{answer:?}");
        ensure!(
            answer.text.contains("cannot send the requested data"),
            "{answer:?}"
        );
        ensure!(shopper.api.gate.requests().len() == sent);
        let payment = shopper.api.payment(PAYMENT).await?;
        let shown = &payment.json["clarification_fields"];
        ensure!(
            shown.as_array().is_some_and(|fields| fields.len() == 1),
            "{shown}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_form_has_those_requested_fields_that_a_request_can_carry() -> anyhow::Result<()> {
    let fields = json!({ "customer": ["last_name", "e-mail", "billing", { "billing": ["city"] }] });
    let shopper = requesting(&fields).await?;
    let page = shopper.api.get(PAGE, &[&shopper.token]).await?;
    for (name, is_shown) in [
        ("customer.last_name", true),
        ("customer.e-mail", false),
        ("customer.billing", false),
        ("customer.billing.city", true),
    ] {
        let has_field = page.text.contains(&format!("name=\"{name}\""));
        ensure!(has_field == is_shown, "{name}: {}", page.text);
    }
    let sent = shopper.api.gate.requests().len();
    let call = Call {
        route: FORM,
        parameters: &[&shopper.token],
        body: "customer.last_name=Maes&customer.billing.city=Gent".into(),
        ..Call::default()
    };
    let answer = shopper.api.call(call).await?;
    ensure!(answer.status == 303, "{answer:?}");
    ensure!(shopper.api.gate.requests().len() == sent + 1);
    Ok(())
}

#[tokio::test]
async fn the_page_sends_data_at_most_ten_times_and_the_storefront_another_ten_times()
-> anyhow::Result<()> {
    let shopper = with_form().await?;
    shopper.api.gate.refuse("2004");
    let sent = shopper.api.gate.requests().len();
    for _ in 0..12 {
        let page = submit(&shopper).await?;
        ensure!(
            page.text.contains("Some details are missing"),
            "{}",
            page.text
        );
    }
    ensure!(shopper.api.gate.requests().len() == sent + 10);
    let page = shopper.api.get(PAGE, &[&shopper.token]).await?;
    ensure!(
        page.text.contains("Some details are missing"),
        "{}",
        page.text
    );

    let body = json!({ "customer": { "last_name": "Janssens" } });
    for number in 0..12 {
        let answer = shopper.api.post(CLARIFICATION, &[PAYMENT], &body).await?;
        let status = if number < 10 { 422 } else { 409 };
        ensure!(answer.status == status, "{number}: {answer:?}");
    }
    ensure!(shopper.api.gate.requests().len() == sent + 20);
    Ok(())
}
