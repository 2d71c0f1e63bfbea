//! Tests the tokens of earlier attempts of a payment.

use anyhow::ensure;
use api::routes::{FORM, PAGE, RETURN, STATUS};
use api::{Api, Call, PAYMENT, order};
use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use serde_json::json;

/// The next attempt can have another shopper and another return URL. The old token must show neither.
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
        ensure!(
            api.gate.requests().len() == sent,
            "the form of the old token was sent to Gate"
        );
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
