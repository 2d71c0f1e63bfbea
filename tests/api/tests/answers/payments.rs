//! Tests `GET /payments/{payment_id}`.

use api::routes::PAYMENT as SHOW;
use api::snapshot::check;
use api::{Api, PAYMENT, order};

#[tokio::test]
async fn a_payment_has_the_status_that_its_callbacks_report() -> anyhow::Result<()> {
    for (name, files) in [
        ("payment_succeeded", &["sale_success.json"][..]),
        ("payment_declined", &["sale_decline_customer.json"]),
        (
            "payment_declined_confidentially",
            &["sale_decline_risk.json"],
        ),
        (
            "payment_awaiting_clarification",
            &["clarification_last_name.json"],
        ),
        ("payment_quarantined", &["amount_differs.json"]),
        (
            "payment_awaiting_confirmation",
            &["../callbacks-2/confirm_sale_done.json"],
        ),
        (
            "payment_with_returned_refund",
            &[
                "sale_success.json",
                "refund_success.json",
                "../callbacks-2/refund_reverse_of_full.json",
            ],
        ),
    ] {
        let api = Api::start().await?;
        api.checkout(&order(PAYMENT)).await?;
        for file in files {
            api.report(file).await?;
        }
        check(name, SHOW, &api.payment(PAYMENT).await?)?;
    }
    Ok(())
}
