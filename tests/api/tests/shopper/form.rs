//! Tests what the shopper sees if the data of the clarification form was not accepted.

use std::time::Duration;

use anyhow::ensure;
use api::routes::FORM;
use api::{Answer, Call, PAYMENT, order};
use payments::Timestamp;

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
    // With one slot for waits, the only slot for forms has the number 1.
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
