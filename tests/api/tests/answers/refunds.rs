//! `POST /payments/{payment_id}/refunds` and `GET .../refunds/{refund_id}`.

use anyhow::ensure;
use api::routes::{PAYMENT as SHOW_PAYMENT, REFUND as SHOW, REFUNDS};
use api::snapshot::check;
use api::{Api, PAYMENT, order, refund};
use serde_json::json;

#[tokio::test]
async fn a_repeated_refund_is_answered_without_a_second_request() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    let early = api.refund(PAYMENT, &refund("r-1")).await?;
    check("refund_too_early", REFUNDS, &early)?;
    api.report("sale_success.json").await?;
    let sent = api.gate.requests().len();

    let created = api.refund(PAYMENT, &refund("r-1")).await?;
    check("refund_created", REFUNDS, &created)?;
    let again = api.refund(PAYMENT, &refund("r-1")).await?;
    check("refund_repeated", REFUNDS, &again)?;
    let mut other = refund("r-1");
    other["amount"] = json!(401);
    let other = api.refund(PAYMENT, &other).await?;
    check("refund_conflict", REFUNDS, &other)?;
    let mut more = refund("r-2");
    more["amount"] = json!(601);
    let more = api.refund(PAYMENT, &more).await?;
    check("refund_exceeds_remaining", REFUNDS, &more)?;
    ensure!(api.gate.requests().len() == sent + 1);

    api.gate.fail();
    let rest = json!({ "refund_id": "r-3", "description": "the rest" });
    let unknown = api.refund(PAYMENT, &rest).await?;
    check("refund_unknown", REFUNDS, &unknown)?;

    let shown = api.get(SHOW, &[PAYMENT, "R-1"]).await?;
    check("refund_shown", SHOW, &shown)?;
    let not_found = api.get(SHOW, &[PAYMENT, "r-9"]).await?;
    check("refund_not_found", SHOW, &not_found)?;
    let no_payment = api.refund("nobody", &refund("r-1")).await?;
    check("refund_of_no_payment", REFUNDS, &no_payment)?;
    let payment = api.payment(PAYMENT).await?;
    check("payment_with_refunds", SHOW_PAYMENT, &payment)
}

#[tokio::test]
async fn a_refused_refund_is_declined() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    api.report("sale_success.json").await?;
    api.gate.refuse("3283");
    let refund = json!({ "refund_id": "r-1", "description": "returned" });
    let declined = api.refund(PAYMENT, &refund).await?;
    check("refund_declined", REFUNDS, &declined)
}

#[tokio::test]
async fn a_refund_with_invalid_fields_is_answered_with_every_field() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let bad = json!({
        "refund_id": "r 1", "amount": 0, "description": "a;b", "customer": { "ip_address": "x" }, "reason": 1,
    });
    let answer = api.refund(PAYMENT, &bad).await?;
    check("refund_invalid", REFUNDS, &answer)
}

#[tokio::test]
async fn a_refund_is_unavailable_without_the_project_key() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.wire.set_secret("not keys");
    let refund = json!({ "refund_id": "r-1", "description": "returned" });
    let answer = api.refund("no-key", &refund).await?;
    check("refund_unavailable", REFUNDS, &answer)
}
