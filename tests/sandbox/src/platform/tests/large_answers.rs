//! Tests answers that are larger than a merchant's limit for callbacks.

use serde_json::json;

use super::data_api::page;
use super::stage::*;
use crate::platform::records::RefundOrder;

/// Makes refunds of one cent. They cause no callbacks.
fn refund_often(stage: &Stage, times: u32) {
    let mut state = stage.platform.shared.state();
    for number in 0..times {
        let order = RefundOrder {
            sum: Some((1, "EUR".into())),
            merchant_refund_id: Some(format!("r-{number}")),
        };
        let refunded = state.change("order-1", |payment, faults, stamp| {
            let (id, now) = (stamp.operation_id, stamp.now);
            payment.refund(order, stamp)?;
            payment.settle_refund(id, &faults.refund_requirement(), now)
        });
        assert!(refunded.is_ok());
    }
}

#[tokio::test]
async fn a_status_answer_with_1500_refunds_and_a_data_api_page_of_1000_are_signed() {
    let mut stage = Stage::new().await;
    let mut message = sale("order-1");
    message["payment"]["amount"] = json!(100_000);
    stage.accept(SALE, message).await;
    let redirect = stage.callback().await;
    stage.pay_at(&redirect).await;
    stage.callback().await;
    refund_often(&stage, 1500);

    let answer = stage.status("order-1").await;
    assert_eq!(answer["operations"].as_array().unwrap().len(), 1501);
    assert_eq!(answer["payment"]["sum"]["amount"], 98_500);
    assert_eq!(page(&stage, 0).await.len(), 1000);
    assert_eq!(page(&stage, 1000).await.len(), 501);
}
