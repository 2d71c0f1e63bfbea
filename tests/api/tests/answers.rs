//! What storefronts are answered, word for word: every status and every problem.
#![allow(clippy::indexing_slicing)]

use std::time::Duration;

use anyhow::{Context, ensure};
use api::snapshot::check;
use api::{Api, Call, OTHER_SHOP, PAYMENT, READER, SHOP, order};
use serde_json::json;

const CHECKOUTS: &str = "POST /checkouts";
const SHOW: &str = "GET /payments/{payment_id}";
const CLARIFY: &str = "POST /payments/{payment_id}/clarification";
const REFUNDS: &str = "POST /payments/{payment_id}/refunds";
const CLARIFY_REFUND: &str = "POST /payments/{payment_id}/refunds/{refund_id}/clarification";
const SHOW_REFUND: &str = "GET /payments/{payment_id}/refunds/{refund_id}";
const STATUS: &str = "GET /checkouts/{token}/status";

#[tokio::test]
async fn a_checkout_is_created_once() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let created = api.checkout(&order(PAYMENT)).await?;
    check("checkout_created", CHECKOUTS, &created)?;
    ensure!(
        created.headers.get("location").map(String::as_str)
            == created.json["checkout_url"].as_str()
    );
    let again = api.checkout(&order(PAYMENT)).await?;
    check("checkout_repeated", CHECKOUTS, &again)?;
    ensure!(api.gate.requests().len() == 1, "sent twice");

    api.report("redirect_get.json").await?;
    let again = api.checkout(&order(PAYMENT)).await?;
    check("checkout_with_redirect", CHECKOUTS, &again)?;

    let mut other = order(PAYMENT);
    other["amount"] = json!(1001);
    let other = api.checkout(&other).await?;
    check("checkout_conflict", CHECKOUTS, &other)?;
    ensure!(api.gate.requests().len() == 1, "sent twice");
    Ok(())
}

#[tokio::test]
async fn payment_page_needs_no_gate() -> anyhow::Result<()> {
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
async fn a_refused_sale_is_told_with_its_code() -> anyhow::Result<()> {
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
    check("payment_failed", SHOW, &failed)?;

    // Nobody knows whether it was taken, so it is no refusal.
    api.gate.fail();
    let answer = api.checkout(&order("unclear")).await?;
    check("checkout_unclear", CHECKOUTS, &answer)
}

#[tokio::test]
async fn every_bad_field_is_named() -> anyhow::Result<()> {
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
async fn a_key_opens_what_it_is_for() -> anyhow::Result<()> {
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
async fn without_the_projects_key_nothing_is_begun() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.wire.set_secret("not keys");
    let answer = api.checkout(&order("no-key")).await?;
    check("checkout_unavailable", CHECKOUTS, &answer)?;
    ensure!(api.gate.requests().is_empty());
    let refund = json!({ "refund_id": "r-1", "description": "returned" });
    let answer = api.refund("no-key", &refund).await?;
    check("refund_unavailable", REFUNDS, &answer)
}

#[tokio::test]
async fn a_payment_is_shown_as_it_is() -> anyhow::Result<()> {
    for (name, file) in [
        ("payment_succeeded", "sale_success.json"),
        ("payment_declined", "sale_decline_customer.json"),
        ("payment_declined_confidentially", "sale_decline_risk.json"),
        (
            "payment_awaiting_clarification",
            "clarification_last_name.json",
        ),
        ("payment_quarantined", "amount_differs.json"),
        (
            "payment_awaiting_confirmation",
            "../callbacks-2/confirm_sale_done.json",
        ),
    ] {
        let api = Api::start().await?;
        api.checkout(&order(PAYMENT)).await?;
        api.report(file).await?;
        check(name, SHOW, &api.payment(PAYMENT).await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn what_the_platform_asks_for_is_sent() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let answers = |body: serde_json::Value| Call {
        route: CLARIFY,
        parameters: &[PAYMENT],
        key: SHOP,
        body: body.to_string(),
        ..Call::default()
    };
    let good = json!({ "customer": { "last_name": "Janssens" } });
    api.checkout(&order(PAYMENT)).await?;
    let early = api.call(answers(good.clone())).await?;
    check("clarification_not_asked", CLARIFY, &early)?;

    api.report("clarification_last_name.json").await?;
    let sent = api.gate.requests().len();
    let bad = json!({ "customer": { "last_name": "Li", "city": "Gent" }, "card": 1 });
    let bad = api.call(answers(bad)).await?;
    check("clarification_invalid", CLARIFY, &bad)?;
    let empty = api.call(answers(json!({}))).await?;
    check("clarification_empty", CLARIFY, &empty)?;
    ensure!(api.gate.requests().len() == sent);

    api.gate.refuse("3061");
    let refused = api.call(answers(good.clone())).await?;
    check("clarification_refused", CLARIFY, &refused)?;
    api.gate.fail();
    let unclear = api.call(answers(good.clone())).await?;
    check("clarification_unclear", CLARIFY, &unclear)?;

    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    api.report("clarification_last_name.json").await?;
    let taken = api.call(answers(good)).await?;
    check("clarification_taken", CLARIFY, &taken)
}

#[tokio::test]
async fn a_refund_is_made_once() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    let part = |id: &str, amount: u64| json!({ "refund_id": id, "amount": amount, "currency": "EUR", "description": "returned" });
    let early = api.refund(PAYMENT, &part("r-1", 400)).await?;
    check("refund_too_early", REFUNDS, &early)?;
    api.report("sale_success.json").await?;
    let sent = api.gate.requests().len();

    let created = api.refund(PAYMENT, &part("r-1", 400)).await?;
    check("refund_created", REFUNDS, &created)?;
    let again = api.refund(PAYMENT, &part("r-1", 400)).await?;
    check("refund_repeated", REFUNDS, &again)?;
    let other = api.refund(PAYMENT, &part("r-1", 401)).await?;
    check("refund_conflict", REFUNDS, &other)?;
    let more = api.refund(PAYMENT, &part("r-2", 601)).await?;
    check("refund_more_than_left", REFUNDS, &more)?;
    ensure!(api.gate.requests().len() == sent + 1);

    api.gate.fail();
    let unknown = api
        .refund(
            PAYMENT,
            &json!({ "refund_id": "r-3", "description": "the rest" }),
        )
        .await?;
    check("refund_unknown", REFUNDS, &unknown)?;

    let show = |refund_id: &'static [&'static str]| Call {
        route: SHOW_REFUND,
        parameters: refund_id,
        key: SHOP,
        ..Call::default()
    };
    let shown = api.call(show(&[PAYMENT, "R-1"])).await?;
    check("refund_shown", SHOW_REFUND, &shown)?;
    let nothing = api.call(show(&[PAYMENT, "r-9"])).await?;
    check("refund_not_found", SHOW_REFUND, &nothing)?;
    let no_payment = api.refund("nobody", &part("r-1", 400)).await?;
    check("refund_of_no_payment", REFUNDS, &no_payment)?;
    check("payment_with_refunds", SHOW, &api.payment(PAYMENT).await?)
}

#[tokio::test]
async fn what_the_platform_asks_for_a_refund_is_sent() -> anyhow::Result<()> {
    const REFUND: [&str; 2] = [PAYMENT, "rf-0002"];
    let answers = |parameters, key, body: &str| Call {
        route: CLARIFY_REFUND,
        parameters,
        key,
        body: body.into(),
        ..Call::default()
    };
    let good = r#"{"account":{"number":"BE68539007547034"}}"#;
    let asked = async || {
        let api = Api::start().await?;
        api.checkout(&order(PAYMENT)).await?;
        api.report("sale_success.json").await?;
        let refund = json!({ "refund_id": "rf-0002", "amount": 400, "currency": "EUR", "description": "returned" });
        api.refund(PAYMENT, &refund).await?;
        anyhow::Ok(api)
    };
    let report = "../callbacks-2/refund_awaiting_clarification.json";

    let api = asked().await?;
    let early = api.call(answers(&REFUND, SHOP, good)).await?;
    check("refund_clarification_not_asked", CLARIFY_REFUND, &early)?;
    api.report(report).await?;
    let shown = Call {
        route: SHOW_REFUND,
        parameters: &REFUND,
        key: SHOP,
        ..Call::default()
    };
    let shown = api.call(shown).await?;
    check("refund_awaiting_clarification", SHOW_REFUND, &shown)?;
    let sent = api.gate.requests().len();
    for parameters in [&[PAYMENT, "r-9"], &["nobody", "rf-0002"]] {
        let unknown = api.call(answers(parameters, SHOP, good)).await?;
        check("refund_clarification_not_found", CLARIFY_REFUND, &unknown)?;
    }
    let others = api.call(answers(&REFUND, OTHER_SHOP, good)).await?;
    check("refund_clarification_not_found", CLARIFY_REFUND, &others)?;
    let reader = api.call(answers(&REFUND, READER, good)).await?;
    ensure!(reader.status == 403, "{}", reader.text);
    let bad = r#"{"account":{"number":"a;b"},"customer":{"last_name":"Maes"}}"#;
    let bad = api.call(answers(&REFUND, SHOP, bad)).await?;
    check("refund_clarification_invalid", CLARIFY_REFUND, &bad)?;
    ensure!(api.gate.requests().len() == sent);

    api.gate.refuse("3061");
    let refused = api.call(answers(&REFUND, SHOP, good)).await?;
    check("refund_clarification_refused", CLARIFY_REFUND, &refused)?;
    api.gate.fail();
    let unclear = api.call(answers(&REFUND, SHOP, good)).await?;
    check("refund_clarification_unclear", CLARIFY_REFUND, &unclear)?;

    let api = asked().await?;
    api.report(report).await?;
    let taken = api.call(answers(&REFUND, SHOP, good)).await?;
    check("refund_clarification_taken", CLARIFY_REFUND, &taken)?;
    let requests = api.gate.requests();
    let (path, body) = requests.last().context("nothing was sent")?;
    ensure!(path == "/v2/payment/clarification", "{path}");
    ensure!(
        body["additional_data"]["account"]["number"] == "BE68539007547034",
        "{body}"
    );
    // It was answered, so nothing is asked for any more.
    let again = api.call(answers(&REFUND, SHOP, good)).await?;
    check("refund_clarification_not_asked", CLARIFY_REFUND, &again)
}

#[tokio::test]
async fn a_refund_that_is_taken_back_is_returned() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    for file in [
        "sale_success.json",
        "refund_success.json",
        "../callbacks-2/refund_reverse_of_full.json",
    ] {
        api.report(file).await?;
    }
    check(
        "payment_with_returned_refund",
        SHOW,
        &api.payment(PAYMENT).await?,
    )
}

#[tokio::test]
async fn a_refused_refund_gives_its_reservation_back() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    api.report("sale_success.json").await?;
    api.gate.refuse("3283");
    let refund = json!({ "refund_id": "r-1", "description": "returned" });
    let declined = api.refund(PAYMENT, &refund).await?;
    check("refund_declined", REFUNDS, &declined)
}

#[tokio::test]
async fn every_bad_field_of_a_refund_is_named() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let bad = json!({
        "refund_id": "r 1", "amount": 0, "description": "a;b", "customer": { "ip_address": "x" }, "reason": 1,
    });
    let answer = api.refund(PAYMENT, &bad).await?;
    check("refund_invalid", REFUNDS, &answer)
}

#[tokio::test]
async fn a_shoppers_page_is_told_the_status_and_no_more() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let created = api.checkout(&order(PAYMENT)).await?;
    api.report("sale_success.json").await?;
    let url = created.json["checkout_url"].as_str().unwrap_or_default();
    let (_, token) = url.rsplit_once('/').unwrap_or_default();
    let ask = |token, origin| {
        api.call(Call {
            route: STATUS,
            parameters: token,
            headers: origin,
            ..Call::default()
        })
    };
    let token = [token];
    let known = ask(&token, &[("origin", "https://shop.example")]).await?;
    check("status", STATUS, &known)?;
    let stranger = ask(&token, &[("origin", "https://shop.example.evil")]).await?;
    check("status_for_another_origin", STATUS, &stranger)?;
    let unknown = ask(&["nobody"], &[]).await?;
    check("status_not_found", STATUS, &unknown)
}

#[tokio::test]
async fn a_shoppers_page_may_stop_asking_once_the_checkout_is_over() -> anyhow::Result<()> {
    let status = async |api: &Api, created: &api::Answer| {
        let url = created.json["checkout_url"].as_str().unwrap_or_default();
        let (_, token) = url.rsplit_once('/').unwrap_or_default();
        let call = Call {
            route: STATUS,
            parameters: &[token],
            ..Call::default()
        };
        api.call(call).await
    };
    let api = Api::start().await?;
    let created = api.checkout(&order(PAYMENT)).await?;
    let open = status(&api, &created).await?;
    check("status_open", STATUS, &open)?;
    api.report("../callbacks-2/confirm_sale_done.json").await?;
    let awaiting = status(&api, &created).await?;
    check("status_awaiting_confirmation", STATUS, &awaiting)?;

    let api = Api::start().await?;
    let mut short = order(PAYMENT);
    short["expires_in"] = json!(1);
    let created = api.checkout(&short).await?;
    api.report("redirect_get.json").await?;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let expired = status(&api, &created).await?;
    check("status_expired", STATUS, &expired)?;
    check("payment_expired", SHOW, &api.payment(PAYMENT).await?)
}
