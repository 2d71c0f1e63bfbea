//! Tests refunds: which requests are sent to Gate, and which are sent again.

use std::collections::BTreeSet;

use ecommpay::answer::Answer;
use futures_util::future::join_all;
use payments::decide::Rejection::{MoreThanLeft, OtherContent};
use payments::events::EventKind;
use payments::model::RefundStatus;
use payments::service::refund::RefundError::Rejected;
use serde_json::json;

use super::system::*;
use crate::builders::reports::operation;
use crate::builders::*;

/// Creates a refund of 4.00 EUR. The refund request gets no clear answer. `repeats` are Gate's answers to the repeats
/// of this request.
async fn lost_refund(repeats: &[Answer]) -> System {
    let answers = [&[accepted("sale"), Answer::Unclear], repeats].concat();
    let system = System::paid(&answers).await;
    let payment = system.refund_order("r-1", 400).await.unwrap();
    assert_eq!(payment.refunds()[0].status(), RefundStatus::Unknown);
    system
}

fn refund_status(system: &System) -> RefundStatus {
    system.payment(PAYMENT).refunds()[0].status()
}

#[tokio::test]
async fn parallel_refunds_are_sent_only_until_no_money_is_left() {
    let system = System::paid(&[]).await;
    let ids: Vec<String> = (0..20).map(|number| format!("r-{number}")).collect();
    let all = join_all(ids.iter().map(|id| system.refund_order(id, 100))).await;
    let (sent, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert_eq!((sent.len(), refused.len()), (10, 10));
    for refused in refused {
        assert_matches!(refused, Err(Rejected(MoreThanLeft(0))));
    }
    let requests = BTreeSet::from_iter(system.refund_requests());
    assert_eq!(requests.len(), 10, "{requests:?}");
}

#[tokio::test]
async fn a_repeated_refund_request_of_a_storefront_is_not_sent_again() {
    let system = lost_refund(&[]).await;
    let payment = system.refund_order("r-1", 400).await.unwrap();
    let refund = payment.refund(&id("r-1")).unwrap();
    assert_eq!(
        (refund.amount(), refund.status()),
        (400, RefundStatus::Unknown)
    );
    assert_matches!(
        system.refund_order("r-1", 500).await,
        Err(Rejected(OtherContent))
    );
    assert_eq!(system.refund_requests(), ["refund 211/Order-1 r-1 400"]);
}

#[tokio::test]
async fn a_lost_refund_is_sent_again_after_each_answer_that_does_not_list_it() {
    let system = lost_refund(&[Answer::Unclear, accepted("refund")]).await;
    system.poll(None).await.unwrap_err();
    assert_eq!(system.refund_requests().len(), 1);
    system.poll(Some(paid_answer(&[]))).await.unwrap();
    assert_eq!(system.refund_requests().len(), 2);
    assert_eq!(refund_status(&system), RefundStatus::Unknown);
    system.poll(Some(paid_answer(&[]))).await.unwrap();
    assert_eq!(system.refund_requests(), ["refund 211/Order-1 r-1 400"; 3]);
    assert_eq!(refund_status(&system), RefundStatus::Pending);
    assert_eq!(system.payment(PAYMENT).refundable_amount(), 600);
}

#[tokio::test]
async fn a_lost_refund_is_not_sent_again_if_a_listed_operation_can_belong_to_it() {
    let system = lost_refund(&[]).await;
    let refund = operation("8", "refund", "processing", 400);
    system.poll(Some(paid_answer(&[refund]))).await.unwrap();
    assert_eq!(system.refund_requests().len(), 1);
    let reserved = system.payment(PAYMENT).pending_refund_amount();
    assert_eq!(
        reserved, 800,
        "the refund and the operation are both reserved"
    );
}

#[tokio::test]
async fn a_repeated_refund_that_gate_refuses_is_declined_after_another_answer_without_the_refund() {
    let system = lost_refund(&[refused("3288")]).await;
    system.poll(Some(paid_answer(&[]))).await.unwrap();
    assert_eq!(system.refund_requests().len(), 2);
    assert_eq!(refund_status(&system), RefundStatus::Unknown);
    system.poll(Some(paid_answer(&[]))).await.unwrap();
    assert_eq!(system.refund_requests().len(), 2);
    let payment = system.payment(PAYMENT);
    assert_eq!(payment.refunds()[0].status(), RefundStatus::Declined);
    assert_eq!(payment.refunds()[0].code(), Some("3288"));
    assert_eq!(payment.refundable_amount(), 1000);
    assert_eq!(system.count_sent(EventKind::RefundDeclined), 1);
}

#[tokio::test]
async fn a_refund_event_that_two_functions_publish_is_counted_once() {
    let this = "refunds::a_refund_event_that_two_functions_publish_is_counted_once";
    if let Some(lines) = log_lines_of(this) {
        let races = lines.iter().filter(|line| line["race"].is_u64());
        let races: Vec<_> = races.map(|line| line["sent"].as_u64().unwrap()).collect();
        assert!(races.iter().all(|sent| (1..=2).contains(sent)), "{races:?}");
        assert!(
            races.contains(&2),
            "there is no race in which both functions published the event: {races:?}"
        );
        let counted = lines.iter().filter_map(|line| line["refunded"].as_u64());
        assert_eq!(counted.sum::<u64>(), races.len() as u64);
        return;
    }
    for race in 0..60 {
        let system = System::paid(&[accepted("sale"), accepted("refund")]).await;
        // The callback arrives `race` steps after the refund request. With few steps, the callback arrives before
        // Gate's answer. With many steps, the callback arrives after Gate's answer.
        let callback = async {
            while system.refund_requests().is_empty() {
                tokio::task::yield_now().await;
            }
            for _ in 0..race {
                tokio::task::yield_now().await;
            }
            system.deliver(&refund_callback("r-1", 400, 600)).await
        };
        let (refunded, published) = tokio::join!(system.refund_order("r-1", 400), callback);
        refunded.unwrap();
        // The callback function counts the events that its own call published.
        let mut published = published.unwrap();
        published.retain(|kind| *kind == EventKind::RefundSucceeded);
        let sent = system.count_sent(EventKind::RefundSucceeded);
        let line = json!({ "race": race, "refunded": published.len(), "sent": sent });
        println!("{line}");
    }
}
