//! Tests `operator show`.

use e2e::eventually;
use serde_json::json;

use super::matches;
use crate::operator::Operator;

pub async fn a_payment_is_shown_with_its_history(operator: &Operator) -> anyhow::Result<()> {
    let system = &operator.system;
    let bank = system.bank_page_for_order("paid", "order-1").await?;
    system.shopper.press(&bank, "pay").await?;
    system.storefront.until("paid", "succeeded").await?;
    let refund =
        json!({ "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "returned" });
    system.storefront.post_refund("paid", &refund, 202).await?;
    system
        .storefront
        .until("paid", "partially_refunded")
        .await?;

    let show = ["show", "--project", "211", "PAID"];
    // The function marks an event as published only after it has sent the event.
    eventually("the published mark of the last event", || async {
        let out = operator.succeeds(&show, "").await?;
        Ok((!out.contains("not published")).then_some(()))
    })
    .await?;
    matches(operator, "show.txt", &show).await?;
    let json = [&show[..], &["--json"]].concat();
    matches(operator, "show.json", &json).await?;

    let unknown = ["show", "--project", "211", "unknown"];
    operator.fails(&unknown, "", "has no such payment").await
}
