//! Tests `POST /payments/{payment_id}/refunds` and `GET .../refunds/{refund_id}`.

use anyhow::{Context, ensure};
use api::routes::{PAYMENT as SHOW_PAYMENT, REFUND as SHOW, REFUNDS};
use api::snapshot::check;
use api::{Api, PAYMENT, order, refund};
use serde_json::json;

/// Creates and pays a payment of 10.00 EUR.
async fn paid() -> anyhow::Result<Api> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    api.report("sale_success.json").await?;
    Ok(api)
}

#[tokio::test]
async fn a_refund_of_an_unpaid_payment_is_answered_409_and_not_sent() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    let sent = api.gate.requests().len();
    let early = api.refund(PAYMENT, &refund("r-1")).await?;
    ensure!(early.status == 409, "{early:?}");
    ensure!(api.gate.requests().len() == sent);
    check("refund_too_early", REFUNDS, &early)
}

#[tokio::test]
async fn a_new_refund_is_answered_202_and_pending() -> anyhow::Result<()> {
    let created = paid().await?.refund(PAYMENT, &refund("r-1")).await?;
    ensure!(created.status == 202, "{created:?}");
    check("refund_created", REFUNDS, &created)
}

#[tokio::test]
async fn a_repeated_refund_is_answered_without_a_second_request() -> anyhow::Result<()> {
    let api = paid().await?;
    api.refund(PAYMENT, &refund("r-1")).await?;
    let sent = api.gate.requests().len();
    let again = api.refund(PAYMENT, &refund("r-1")).await?;
    check("refund_repeated", REFUNDS, &again)?;
    let mut other = refund("r-1");
    other["amount"] = json!(401);
    let other = api.refund(PAYMENT, &other).await?;
    ensure!(other.status == 409, "{other:?}");
    check("refund_conflict", REFUNDS, &other)?;
    ensure!(api.gate.requests().len() == sent);
    Ok(())
}

#[tokio::test]
async fn a_refund_above_the_remaining_amount_is_answered_422_and_not_sent() -> anyhow::Result<()> {
    let api = paid().await?;
    api.refund(PAYMENT, &refund("r-1")).await?;
    let sent = api.gate.requests().len();
    let mut more = refund("r-2");
    more["amount"] = json!(601);
    let more = api.refund(PAYMENT, &more).await?;
    ensure!(more.status == 422, "{more:?}");
    ensure!(api.gate.requests().len() == sent);
    check("refund_exceeds_remaining", REFUNDS, &more)
}

#[tokio::test]
async fn a_refund_that_gate_does_not_answer_is_unknown_and_can_be_read() -> anyhow::Result<()> {
    let api = paid().await?;
    api.refund(PAYMENT, &refund("r-1")).await?;
    api.gate.fail();
    let rest = json!({ "refund_id": "r-3", "description": "the rest" });
    let unknown = api.refund(PAYMENT, &rest).await?;
    check("refund_unknown", REFUNDS, &unknown)?;

    let shown = api.get(SHOW, &[PAYMENT, "R-1"]).await?;
    check("refund_shown", SHOW, &shown)?;
    let not_found = api.get(SHOW, &[PAYMENT, "r-9"]).await?;
    check("refund_not_found", SHOW, &not_found)?;
    let no_payment = api.refund("unknown", &refund("r-1")).await?;
    check("refund_of_no_payment", REFUNDS, &no_payment)?;
    let payment = api.payment(PAYMENT).await?;
    check("payment_with_refunds", SHOW_PAYMENT, &payment)
}

#[tokio::test]
async fn a_refund_that_gate_refuses_is_declined() -> anyhow::Result<()> {
    let api = paid().await?;
    api.gate.refuse("3283");
    let refund = json!({ "refund_id": "r-1", "description": "returned" });
    let declined = api.refund(PAYMENT, &refund).await?;
    check("refund_declined", REFUNDS, &declined)
}

#[tokio::test]
async fn a_refund_with_invalid_fields_is_answered_with_every_invalid_field() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let bad = json!({
        "refund_id": "r 1", "amount": 0, "description": "a;b", "customer": { "ip_address": "x" }, "reason": 1,
    });
    let answer = api.refund(PAYMENT, &bad).await?;
    check("refund_invalid", REFUNDS, &answer)
}

#[tokio::test]
async fn a_refund_request_is_answered_as_unavailable_without_the_project_key() -> anyhow::Result<()>
{
    let api = Api::start().await?;
    api.wire.set_secret("not keys");
    let refund = json!({ "refund_id": "r-1", "description": "returned" });
    let answer = api.refund("no-key", &refund).await?;
    check("refund_unavailable", REFUNDS, &answer)
}

#[tokio::test]
async fn a_refund_without_an_amount_sends_the_remaining_amount_and_the_ip_address_of_the_checkout()
-> anyhow::Result<()> {
    let api = paid().await?;
    let mut first = refund("r-1");
    first["customer"] = json!({ "ip_address": "198.51.100.7" });
    api.refund(PAYMENT, &first).await?;
    let rest = json!({ "refund_id": "R-2", "description": "the rest" });
    for _ in 0..2 {
        // The first request fixes the amount. The repeat does not compute the amount again.
        let created = api.refund(PAYMENT, &rest).await?;
        ensure!(created.status == 202, "{created:?}");
        ensure!(created.json["amount"] == 600, "{created:?}");
    }
    let mut sent = api.gate.requests();
    sent.retain(|(path, _)| path.ends_with("/refund"));
    ensure!(sent.len() == 2, "{sent:?}");
    for ((_, body), (refund_id, amount, address)) in sent
        .iter()
        .zip([("r-1", 400, "198.51.100.7"), ("R-2", 600, "192.0.2.10")])
    {
        let payment = &body["payment"];
        ensure!(payment["merchant_refund_id"] == refund_id, "{body}");
        ensure!(payment["amount"] == amount, "{body}");
        ensure!(payment["currency"] == "EUR", "{body}");
        ensure!(body["customer"]["ip_address"] == address, "{body}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refund_is_refused_when_it_has_only_an_amount_or_only_a_currency() -> anyhow::Result<()> {
    let api = paid().await?;
    let sent = api.gate.requests().len();
    for (given, missing) in [("amount", "/currency"), ("currency", "/amount")] {
        let mut refund = refund("r-1");
        let fields = refund.as_object_mut().context("no object")?;
        fields.remove(missing.trim_start_matches('/'));
        let answer = api.refund(PAYMENT, &refund).await?;
        ensure!(answer.status == 400, "{given}: {answer:?}");
        ensure!(answer.pointers() == [missing], "{given}: {answer:?}");
    }
    ensure!(api.gate.requests().len() == sent);
    Ok(())
}
