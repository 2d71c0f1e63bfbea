//! Tests `POST /checkouts`.

use anyhow::ensure;
use api::routes::{CHECKOUTS, PAGE, PAYMENT as SHOW};
use api::snapshot::check;
use api::{Api, Call, OTHER_SHOP, PAYMENT, READER, SHOP, order};
use serde_json::json;

#[tokio::test]
async fn a_repeated_checkout_is_answered_without_a_second_sale() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let created = api.checkout(&order(PAYMENT)).await?;
    check("checkout_created", CHECKOUTS, &created)?;
    ensure!(created.location() == created.json["checkout_url"].as_str());
    let again = api.checkout(&order(PAYMENT)).await?;
    check("checkout_repeated", CHECKOUTS, &again)?;
    ensure!(api.gate.requests().len() == 1, "the sale was sent twice");

    api.report("redirect_get.json").await?;
    let again = api.checkout(&order(PAYMENT)).await?;
    check("checkout_with_redirect", CHECKOUTS, &again)?;

    let mut other = order(PAYMENT);
    other["amount"] = json!(1001);
    let other = api.checkout(&other).await?;
    check("checkout_conflict", CHECKOUTS, &other)?;
    ensure!(api.gate.requests().len() == 1, "the sale was sent twice");
    Ok(())
}

#[tokio::test]
async fn a_checkout_on_payment_page_sends_nothing_to_gate() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let mut order = order("page-1");
    order["channel"] = json!("payment_page");
    order["amount"] = json!(50_000);
    let created = api.checkout(&order).await?;
    check("checkout_on_payment_page", CHECKOUTS, &created)?;
    ensure!(api.gate.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_refused_sale_is_answered_with_the_code_of_the_refusal() -> anyhow::Result<()> {
    let api = Api::start().await?;
    for (name, code) in [
        ("checkout_refused", "3061"),
        ("checkout_refused_confidentially", "402"),
        ("checkout_refused_with_an_unlisted_code", "123456"),
    ] {
        api.gate.refuse(code);
        let answer = api.checkout(&order(name)).await?;
        check(name, CHECKOUTS, &answer)?;
        ensure!(!answer.text.contains("Only for our eyes"), "{name}");
    }
    let failed = api.payment("checkout_refused").await?;
    check("payment_failed", SHOW, &failed)
}

#[tokio::test]
async fn a_checkout_is_created_when_the_outcome_of_its_sale_is_unknown() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.gate.fail();
    let answer = api.checkout(&order("unclear")).await?;
    check("checkout_outcome_unknown", CHECKOUTS, &answer)
}

#[tokio::test]
async fn a_checkout_with_invalid_fields_is_answered_with_every_invalid_field() -> anyhow::Result<()>
{
    let api = Api::start().await?;
    let bad = json!({
        "payment_id": "a/b", "order_id": "", "amount": 99, "currency": "USD", "channel": "card", "colour": "red",
        "customer": {
            "id": "a;b", "ip_address": "300.1.1.1", "last_name": "Li", "email": "els", "phone": "+32", "shoe": 1,
        },
        "return_url": "https://evil.example/", "expires_in": 0, "language": "es", "description": "a\nb",
    });
    let answer = api.checkout(&bad).await?;
    check("checkout_invalid", CHECKOUTS, &answer)?;
    let answer = api.checkout(&json!({})).await?;
    check("checkout_empty", CHECKOUTS, &answer)?;
    let answer = api
        .call(Call {
            route: CHECKOUTS,
            key: SHOP,
            body: r#"{"amount": 1000, "amount": 1001}"#.into(),
            ..Call::default()
        })
        .await?;
    check("checkout_not_json", CHECKOUTS, &answer)?;
    ensure!(api.gate.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_request_is_refused_when_its_key_lacks_the_scope_or_belongs_to_another_shop()
-> anyhow::Result<()> {
    let api = Api::start().await?;
    let create = |key| Call {
        route: CHECKOUTS,
        key,
        body: order(PAYMENT).to_string(),
        ..Call::default()
    };
    check("no_key", CHECKOUTS, &api.call(create("")).await?)?;
    check("no_scope", CHECKOUTS, &api.call(create(READER)).await?)?;
    api.call(create(SHOP)).await?;
    let others = api.call(create(OTHER_SHOP)).await?;
    check("checkout_of_another_shop", CHECKOUTS, &others)?;
    let others = Call {
        route: SHOW,
        parameters: &[PAYMENT],
        key: OTHER_SHOP,
        ..Call::default()
    };
    check("payment_not_found", SHOW, &api.call(others).await?)
}

#[tokio::test]
async fn a_checkout_request_is_answered_as_unavailable_without_the_project_key()
-> anyhow::Result<()> {
    let api = Api::start().await?;
    api.wire.set_secret("not keys");
    let answer = api.checkout(&order("no-key")).await?;
    check("checkout_unavailable", CHECKOUTS, &answer)?;
    ensure!(api.gate.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn public_urls_ignore_the_host_header() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let hosts = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
    ];
    let create = Call {
        route: CHECKOUTS,
        key: SHOP,
        headers: &hosts,
        body: order(PAYMENT).to_string(),
        ..Call::default()
    };
    let created = api.call(create).await?;
    ensure!(created.status == 201, "{created:?}");
    let token = created.token()?;
    let url = format!("https://api.example/checkouts/{token}");
    ensure!(created.json["checkout_url"] == json!(url), "{created:?}");
    ensure!(created.location() == Some(url.as_str()), "{created:?}");
    let sale = api.gate.requests()[0].1.to_string();
    ensure!(sale.contains(&format!("\"{url}/return\"")), "{sale}");

    api.report("clarification_last_name.json").await?;
    let show = Call {
        route: PAGE,
        parameters: &[token],
        headers: &hosts,
        ..Call::default()
    };
    let page = api.call(show).await?;
    let form = format!("action=\"{url}\"");
    ensure!(page.text.contains(&form), "{}", page.text);
    for text in [&sale, &page.text, &created.text] {
        let is_own = !text.contains("evil") && !text.contains("gateway.example");
        ensure!(is_own, "{text}");
    }
    Ok(())
}
