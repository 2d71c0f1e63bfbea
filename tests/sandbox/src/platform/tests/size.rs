//! Answers that are larger than a callback may be.

use super::stage::*;
use super::*;
use crate::platform::clarification::Requirement;
use crate::platform::order::RefundOrder;

/// Refunds one cent many times, without a callback for each.
fn refund_often(stage: &Stage, times: u32) {
    let mut state = stage.platform.shared.state();
    let requirement = Requirement::default();
    for number in 0..times {
        let order = RefundOrder {
            payment_id: "order-1".into(),
            sum: Some((1, "EUR".into())),
            merchant_refund_id: Some(format!("r-{number}")),
        };
        let marks = state.ids.marks("request");
        let (id, now) = (marks.operation_id, marks.now);
        state.records.refund(order, marks).unwrap();
        let records = &mut state.records;
        let done = records.settle_refund("order-1", id, &requirement, now);
        assert!(done.is_some());
    }
}

#[tokio::test]
async fn a_payment_with_1500_refunds_and_a_data_api_page_of_1000_are_signed() {
    let mut stage = Stage::new(0).await;
    let mut message = sale("order-1");
    message["payment"]["amount"] = json!(100_000);
    stage.code("bancontact/sale", message).await;
    let redirect = stage.callback().await;
    let page = redirect["redirect_data"]["url"].as_str().unwrap();
    stage.pay(page).await;
    stage.callback().await;
    refund_often(&stage, 1500);

    let answer = stage.status("order-1").await;
    assert_eq!(answer["operations"].as_array().unwrap().len(), 1501);
    assert_eq!(answer["payment"]["sum"]["amount"], 98_500);
    let listed = data_api::page(&stage, 0).await;
    assert_eq!(listed.len(), 1000);
    let rest = data_api::page(&stage, 1000).await;
    assert_eq!(rest.len(), 501);
}
