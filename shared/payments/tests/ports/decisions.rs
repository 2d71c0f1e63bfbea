//! What an operator says about doubts counts for those that they have seen.

use std::collections::BTreeSet;

use payments::decision::Undecided;
use payments::model::{Status, Verdict};

use super::stage::*;

async fn paid(world: &World, operation_id: u32, amount: u64) {
    let body = format!(
        r#"{{"project_id":211,"payment":{{"id":"order-1","status":"success","sum":{{"amount":{amount},"currency":"EUR"}}}},
            "operation":{{"id":{operation_id},"type":"sale","status":"success","sum_initial":{{"amount":{amount},"currency":"EUR"}}}}}}"#
    );
    world.hear_this(&body).await;
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
    assert!(matches!(again, Err(Undecided::NotQuarantined)), "{again:?}");
}

/// Goods would go out while the money goes back.
#[tokio::test]
async fn what_is_on_its_way_back_is_not_released() {
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
        matches!(released, Err(Undecided::GoingBack)),
        "{released:?}"
    );
    let sent = world.sent();
    assert!(!sent.iter().any(|event| event.contains("payment.succeeded")));
}

#[tokio::test]
async fn nothing_is_decided_about_what_was_not_seen() {
    let world = World::new();
    let nothing = BTreeSet::new();
    let unknown = world.payments.release(&key(), "anna", &nothing).await;
    assert!(matches!(unknown, Err(Undecided::NotFound)), "{unknown:?}");
    world.create(&shop("shop"), 1000).await.unwrap();
    let undoubted = world.desk().reject(&key(), "anna", &nothing).await;
    assert!(
        matches!(undoubted, Err(Undecided::NotQuarantined)),
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
            assert!(matches!(other, Err(Undecided::OtherItems)), "{other:?}");
        }
    }
    assert!(world.payment().await.decisions().is_empty());
    assert!(world.refunds().is_empty());
}
