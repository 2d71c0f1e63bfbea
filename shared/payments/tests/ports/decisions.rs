//! An operator's decision about quarantined money settles exactly what they have looked at.

use std::collections::BTreeSet;

use ecommpay::answer::Answer;
use payments::model::{QuarantineReason, RefundStatus, Status, Verdict};
use payments::service::review::ReviewError;

use super::stage::*;

async fn paid(world: &World, operation_id: u32, amount: u64) {
    paid_in(world, operation_id, amount, "EUR").await;
}

async fn paid_in(world: &World, operation_id: u32, amount: u64, currency: &str) {
    let body = format!(
        r#"{{"project_id":211,"payment":{{"id":"order-1","status":"success","sum":{{"amount":{amount},"currency":"{currency}"}}}},
            "operation":{{"id":{operation_id},"type":"sale","status":"success","sum_initial":{{"amount":{amount},"currency":"{currency}"}}}}}}"#
    );
    world.hear_this(&body).await;
}

/// A payment of 10.00 EUR with what came of it.
async fn ordered(answers: &[Answer]) -> World {
    let world = World::with_answers(answers);
    world.create(&shop("shop"), 1000).await.unwrap();
    world
}

#[tokio::test]
async fn a_release_takes_the_money_as_paid() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    paid(&world, 7, 900).await;
    let seen = world.payment().await.quarantine();
    let released = world.payments.release(&key(), "anna", &seen).await.unwrap();
    assert_eq!(released.payment.status(), Status::Succeeded);
    assert!(released.changed && released.published.is_ok());
    let decision = &released.payment.decisions()[0];
    assert_eq!(decision.by, "anna");
    assert_eq!(
        (decision.verdict, &decision.items),
        (Verdict::Released, &seen)
    );
    assert!(world.sent().last().unwrap().contains("payment.succeeded"));
    let again = world.payments.release(&key(), "anna", &seen).await;
    assert!(
        matches!(again, Err(ReviewError::NotQuarantined)),
        "{again:?}"
    );
}

/// Goods would go out while the money goes back.
#[tokio::test]
async fn a_release_is_refused_while_the_money_is_on_its_way_back() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    paid(&world, 7, 900).await;
    let seen = world.payment().await.quarantine();
    world.desk().reject(&key(), "anna", &seen).await.unwrap();
    let payment = world.payment().await;
    assert_eq!(payment.status(), Status::Quarantined);
    assert!(payment.pending_refund_amount() > 0);
    let released = world.payments.release(&key(), "bert", &seen).await;
    assert!(
        matches!(released, Err(ReviewError::BeingRefunded)),
        "{released:?}"
    );
    let sent = world.sent();
    assert!(!sent.iter().any(|event| event.contains("payment.succeeded")));
}

/// Only the rejection's own refund stands in the way, and this one came to nothing.
#[tokio::test]
async fn a_release_is_possible_after_the_refund_of_a_rejection_was_refused() {
    let world = ordered(&[accepted("sale"), accepted("part"), refused("3283")]).await;
    paid(&world, 7, 1234).await;
    world.refund("r-1", 300).await.unwrap();
    let part = r#"{"project_id":211,"payment":{"id":"order-1","status":"partially refunded","merchant_refund_id":"r-1","sum":{"amount":934,"currency":"EUR"}},
        "operation":{"id":8,"type":"refund","status":"success","sum_initial":{"amount":300,"currency":"EUR"}}}"#;
    world.hear_this(part).await;
    let seen = world.payment().await.quarantine();
    world.desk().reject(&key(), "anna", &seen).await.unwrap();
    let payment = world.payment().await;
    assert_eq!(payment.refunds()[1].status(), RefundStatus::Declined);
    assert_eq!(payment.refunded_amount(), 300);
    let released = world.payments.release(&key(), "bert", &seen).await.unwrap();
    assert_eq!(released.payment.status(), Status::PartiallyRefunded);
}

#[tokio::test]
async fn a_decision_is_refused_when_the_quarantine_is_not_what_was_seen() {
    let world = World::new();
    let nothing = BTreeSet::new();
    let unknown = world.payments.release(&key(), "anna", &nothing).await;
    assert!(matches!(unknown, Err(ReviewError::NotFound)), "{unknown:?}");
    world.create(&shop("shop"), 1000).await.unwrap();
    let undoubted = world.desk().reject(&key(), "anna", &nothing).await;
    assert!(
        matches!(undoubted, Err(ReviewError::NotQuarantined)),
        "{undoubted:?}"
    );
    paid(&world, 7, 900).await;
    let seen = world.payment().await.quarantine();
    paid(&world, 8, 900).await;
    assert_ne!(world.payment().await.quarantine(), seen);
    for items in [&seen, &nothing] {
        let released = world.payments.release(&key(), "anna", items).await;
        let rejected = world.desk().reject(&key(), "anna", items).await;
        for other in [released, rejected] {
            assert!(matches!(other, Err(ReviewError::OtherItems)), "{other:?}");
        }
    }
    assert!(world.payment().await.decisions().is_empty());
    assert!(world.refunds().is_empty());
}

/// The bank took more, or less, than was ordered: what came goes back, not what was ordered.
#[tokio::test]
async fn a_rejection_refunds_what_came_of_an_overpaid_and_of_an_underpaid_payment() {
    for came in [1234, 900] {
        let world = ordered(&[accepted("sale"), accepted("back")]).await;
        paid(&world, 7, came).await;
        let payment = world.payment().await;
        assert_eq!(
            (payment.status(), payment.paid_amount()),
            (Status::Quarantined, came)
        );
        let seen = payment.quarantine();
        let rejected = world.desk().reject(&key(), "anna", &seen).await.unwrap();
        let sum = format!(" {came}");
        let [sent] = &world.refunds()[..] else {
            panic!("{:?}", world.refunds());
        };
        assert!(sent.ends_with(&sum), "{sent}");
        let payment = rejected.payment;
        assert_eq!(payment.pending_refund_amount(), came);
        let refund_id = payment.refunds()[0].refund_id().unwrap().to_string();
        let back = format!(
            r#"{{"project_id":211,"payment":{{"id":"order-1","status":"refunded","merchant_refund_id":"{refund_id}","sum":{{"amount":0,"currency":"EUR"}}}},
                "operation":{{"id":8,"type":"refund","status":"success","sum_initial":{{"amount":{came},"currency":"EUR"}}}}}}"#
        );
        world.hear_this(&back).await;
        let payment = world.payment().await;
        assert_eq!(
            (payment.status(), payment.refunded_amount()),
            (Status::Refunded, came)
        );
        assert_eq!(payment.refundable_amount(), 0);
    }
}

#[tokio::test]
async fn a_rejection_refunds_only_what_is_left() {
    let world = ordered(&[]).await;
    paid(&world, 7, 1234).await;
    world.refund("r-1", 300).await.unwrap();
    let seen = world.payment().await.quarantine();
    world.desk().reject(&key(), "anna", &seen).await.unwrap();
    let refunds = world.refunds();
    assert!(
        refunds.len() == 2 && refunds[1].ends_with(" 934"),
        "{refunds:?}"
    );
    assert_eq!(world.payment().await.refundable_amount(), 0);
}

#[tokio::test]
async fn a_release_of_foreign_money_is_refused() {
    let world = ordered(&[]).await;
    paid_in(&world, 7, 1000, "USD").await;
    let payment = world.payment().await;
    assert_eq!(
        (payment.status(), payment.paid_amount()),
        (Status::Quarantined, 0)
    );
    let reasons = payment.quarantine_reasons();
    assert_eq!(reasons, [QuarantineReason::CurrencyDiffers].into());
    let seen = payment.quarantine();
    let released = world.payments.release(&key(), "anna", &seen).await;
    assert!(
        matches!(released, Err(ReviewError::NoMoney)),
        "{released:?}"
    );
    assert_eq!(world.payment().await, payment, "nothing is decided");
}

/// It goes back by hand, in the platform's Dashboard.
#[tokio::test]
async fn a_rejection_of_foreign_money_is_recorded_and_sends_no_refund() {
    let world = ordered(&[]).await;
    paid_in(&world, 7, 1100, "USD").await;
    let seen = world.payment().await.quarantine();
    let rejected = world.desk().reject(&key(), "anna", &seen).await.unwrap();
    assert!(rejected.changed && rejected.published.is_ok());
    let payment = rejected.payment;
    assert_eq!(payment.status(), Status::Quarantined, "until it is back");
    let [decision] = payment.decisions() else {
        panic!("{:?}", payment.decisions());
    };
    assert_eq!(
        (decision.verdict, &decision.items),
        (Verdict::Rejected, &seen)
    );
    assert!(world.refunds().is_empty() && payment.refunds().is_empty());
    let back = r#"{"project_id":211,"payment":{"id":"order-1","status":"refunded"},
        "operation":{"id":8,"type":"refund","status":"success","sum_initial":{"amount":1100,"currency":"USD"}}}"#;
    world.hear_this(back).await;
    let payment = world.payment().await;
    let sent = world.sent();
    assert!(!sent.iter().any(|event| event.contains("payment.succeeded")));
    assert_ne!(payment.status(), Status::Succeeded);
    assert_eq!((payment.paid_amount(), payment.refunded_amount()), (0, 0));
}

/// Money is known only by an operation that names no sum.
#[tokio::test]
async fn a_decision_is_refused_when_no_money_is_known() {
    let world = ordered(&[]).await;
    let answer = r#"{"project_id":211,"payment":{"id":"order-1","status":"success"},
        "operations":[{"id":7,"type":"manual change","status":"success"}]}"#;
    world.poll(Some(signed(answer, "key"))).await.unwrap();
    let payment = world.payment().await;
    assert_eq!(
        (payment.status(), payment.paid_amount()),
        (Status::Quarantined, 0)
    );
    let seen = payment.quarantine();
    let released = world.payments.release(&key(), "anna", &seen).await;
    let rejected = world.desk().reject(&key(), "anna", &seen).await;
    for decided in [released, rejected] {
        assert!(matches!(decided, Err(ReviewError::NoMoney)), "{decided:?}");
    }
    assert_eq!(world.payment().await, payment, "nothing is decided");
    assert!(world.refunds().is_empty());
}

/// Money known only by `manual change` counts, so it is released or goes back as it came.
#[tokio::test]
async fn money_of_a_manual_change_is_released_and_refunded_as_what_came() {
    let answer = r#"{"project_id":211,"payment":{"id":"order-1","status":"success","sum":{"amount":800,"currency":"EUR"}},
        "operations":[{"id":7,"type":"manual change","status":"success","sum_initial":{"amount":800,"currency":"EUR"}}]}"#;
    for verdict in [Verdict::Released, Verdict::Rejected] {
        let world = ordered(&[]).await;
        world.poll(Some(signed(answer, "key"))).await.unwrap();
        let payment = world.payment().await;
        assert_eq!(
            (payment.status(), payment.paid_amount()),
            (Status::Quarantined, 800)
        );
        let seen = payment.quarantine();
        let desk = world.desk();
        let decided = match verdict {
            Verdict::Released => world.payments.release(&key(), "anna", &seen).await,
            Verdict::Rejected => desk.reject(&key(), "anna", &seen).await,
        };
        let payment = decided.unwrap().payment;
        match verdict {
            Verdict::Released => assert_eq!(payment.status(), Status::Succeeded),
            Verdict::Rejected => {
                assert_eq!(payment.refunds()[0].status(), RefundStatus::Pending);
                assert_eq!(payment.pending_refund_amount(), 800);
                assert_eq!(world.refunds().len(), 1);
            }
        }
    }
}
