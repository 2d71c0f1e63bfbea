//! Tests clarification: storefronts send the data that the platform requests for a payment or a refund.

use anyhow::{Context, ensure};
use api::routes::{CLARIFICATION, REFUND, REFUND_CLARIFICATION};
use api::snapshot::check;
use api::{Answer, Api, Call, OTHER_SHOP, PAYMENT, READER, order, refund};
use serde_json::{Value, json};

const REFUND_ID: &str = "rf-0002";

/// Creates a payment. If `requested` is set, the platform requests the last name.
async fn created(requested: bool) -> anyhow::Result<Api> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    if requested {
        api.report("clarification_last_name.json").await?;
    }
    Ok(api)
}

/// Creates a refund. If `requested` is set, the platform requests the account.
async fn refunded(requested: bool) -> anyhow::Result<Api> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    api.report("sale_success.json").await?;
    api.refund(PAYMENT, &refund(REFUND_ID)).await?;
    if requested {
        let file = "../callbacks-2/refund_awaiting_clarification.json";
        api.report(file).await?;
    }
    Ok(api)
}

async fn clarify(api: &Api, body: &Value) -> anyhow::Result<Answer> {
    api.post(CLARIFICATION, &[PAYMENT], body).await
}

async fn clarify_refund(api: &Api, body: &Value) -> anyhow::Result<Answer> {
    let parameters = [PAYMENT, REFUND_ID];
    api.post(REFUND_CLARIFICATION, &parameters, body).await
}

fn last_name() -> Value {
    json!({ "customer": { "last_name": "Janssens" } })
}

fn account() -> Value {
    json!({ "account": { "number": "BE68539007547034" } })
}

#[tokio::test]
async fn the_data_of_a_payment_is_sent_when_the_platform_requests_it() -> anyhow::Result<()> {
    let api = created(false).await?;
    let early = clarify(&api, &last_name()).await?;
    check("clarification_not_requested", CLARIFICATION, &early)?;

    let api = created(true).await?;
    let accepted = clarify(&api, &last_name()).await?;
    check("clarification_accepted", CLARIFICATION, &accepted)
}

#[tokio::test]
async fn invalid_data_of_a_payment_is_not_sent() -> anyhow::Result<()> {
    let api = created(true).await?;
    let sent = api.gate.requests().len();
    let bad = json!({ "customer": { "last_name": "Li", "city": "Gent" }, "card": 1 });
    let bad = clarify(&api, &bad).await?;
    check("clarification_invalid", CLARIFICATION, &bad)?;
    let empty = clarify(&api, &json!({})).await?;
    check("clarification_empty", CLARIFICATION, &empty)?;
    ensure!(api.gate.requests().len() == sent);
    Ok(())
}

#[tokio::test]
async fn the_data_of_a_payment_is_answered_with_a_problem_when_gate_does_not_accept_it()
-> anyhow::Result<()> {
    let api = created(true).await?;
    api.gate.refuse("3061");
    let refused = clarify(&api, &last_name()).await?;
    check("clarification_refused", CLARIFICATION, &refused)?;
    api.gate.fail();
    let unknown = clarify(&api, &last_name()).await?;
    check("clarification_outcome_unknown", CLARIFICATION, &unknown)
}

#[tokio::test]
async fn the_data_of_a_refund_is_sent_when_the_platform_requests_it() -> anyhow::Result<()> {
    let api = refunded(false).await?;
    let early = clarify_refund(&api, &account()).await?;
    let not_requested = "refund_clarification_not_requested";
    check(not_requested, REFUND_CLARIFICATION, &early)?;

    let api = refunded(true).await?;
    let shown = api.get(REFUND, &[PAYMENT, REFUND_ID]).await?;
    check("refund_awaiting_clarification", REFUND, &shown)?;
    let accepted = clarify_refund(&api, &account()).await?;
    check(
        "refund_clarification_accepted",
        REFUND_CLARIFICATION,
        &accepted,
    )?;
    let requests = api.gate.requests();
    let (path, body) = requests.last().context("no request was sent")?;
    ensure!(path == "/v2/payment/clarification", "{path}");
    ensure!(
        body["additional_data"]["account"]["number"] == "BE68539007547034",
        "{body}"
    );
    let again = clarify_refund(&api, &account()).await?;
    check(not_requested, REFUND_CLARIFICATION, &again)
}

#[tokio::test]
async fn data_of_a_refund_is_not_sent_when_the_call_is_invalid_unauthorized_or_about_an_unknown_refund()
-> anyhow::Result<()> {
    const ROUTE: &str = REFUND_CLARIFICATION;
    let api = refunded(true).await?;
    let sent = api.gate.requests().len();
    for parameters in [[PAYMENT, "r-9"], ["unknown", REFUND_ID]] {
        let unknown = api.post(ROUTE, &parameters, &account()).await?;
        check("refund_clarification_not_found", ROUTE, &unknown)?;
    }
    let with_key = |key| Call {
        route: ROUTE,
        parameters: &[PAYMENT, REFUND_ID],
        key,
        body: account().to_string(),
        ..Call::default()
    };
    let others = api.call(with_key(OTHER_SHOP)).await?;
    check("refund_clarification_not_found", ROUTE, &others)?;
    let reader = api.call(with_key(READER)).await?;
    ensure!(reader.status == 403, "{}", reader.text);
    let bad = json!({ "account": { "number": "a;b" }, "customer": { "last_name": "Maes" } });
    let bad = clarify_refund(&api, &bad).await?;
    check("refund_clarification_invalid", ROUTE, &bad)?;
    ensure!(api.gate.requests().len() == sent);
    Ok(())
}

#[tokio::test]
async fn the_data_of_a_refund_is_answered_with_a_problem_when_gate_does_not_accept_it()
-> anyhow::Result<()> {
    const ROUTE: &str = REFUND_CLARIFICATION;
    let api = refunded(true).await?;
    api.gate.refuse("3061");
    let refused = clarify_refund(&api, &account()).await?;
    check("refund_clarification_refused", ROUTE, &refused)?;
    api.gate.fail();
    let unknown = clarify_refund(&api, &account()).await?;
    check("refund_clarification_outcome_unknown", ROUTE, &unknown)
}
