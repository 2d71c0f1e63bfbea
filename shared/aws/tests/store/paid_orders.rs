//! Tests which payments the store lists for a paid order, and which of them is the first to pay.

use ecommpay::fields::ProjectId;
use futures_util::future::join_all;
use payments::MerchantId;
use payments::decide::Change;
use payments::model::PaidOrder;
use payments::ports::{CommitError, Committed, PaymentStore, Stored};

use crate::world::{World, commit, created_for, without_events};

/// Returns a change without events that makes the payment pay another order. No fact causes this change, so the
/// function edits the document of the payment.
fn pays_another_order(stored: &Stored, order_id: &str) -> Change {
    let mut document = serde_json::to_value(&stored.payment).unwrap();
    document["order"]["order_id"] = order_id.into();
    Change {
        payment: serde_json::from_value(document).unwrap(),
        ..without_events(stored)
    }
}

async fn payers_of(world: &World, order_id: &str) -> Vec<String> {
    let order_id = MerchantId::new(order_id).unwrap();
    let order = PaidOrder {
        project_id: ProjectId::new(211).unwrap(),
        storefront: "shop",
        order_id: &order_id,
    };
    let found = world.store().payments_of_order(order).await;
    let keys = found.unwrap().into_iter().map(|key| key.to_string());
    keys.collect()
}

#[tokio::test]
async fn one_of_several_concurrent_payments_is_the_first_to_pay_an_order() {
    let world = World::new().await;
    let ids: Vec<String> = (0..8).map(|number| format!("p-{number}")).collect();
    for id in &ids {
        let change = created_for("shop", id, "order-1");
        world.store().commit(commit(&change, None)).await.unwrap();
    }
    let paid = join_all(ids.iter().map(|id| world.succeed(id))).await;
    let first = paid.iter().filter(|committed| committed.is_first_to_pay);
    assert_eq!(first.count(), 1);
}

#[tokio::test]
async fn the_payments_of_an_order_are_found_by_storefront_and_order_id() {
    let world = World::new().await;
    for (id, order_id, storefront) in [
        ("one", "Order-1", "shop"),
        ("two", "oRDER-1", "shop"),
        ("other", "order-2", "shop"),
        ("elsewhere", "order-1", "other shop"),
    ] {
        let change = created_for(storefront, id, order_id);
        world.store().commit(commit(&change, None)).await.unwrap();
    }
    assert!(payers_of(&world, "order-1").await.is_empty());
    for (id, is_first_to_pay) in [
        ("one", true),
        ("two", false),
        ("other", true),
        ("elsewhere", true),
    ] {
        let committed = world.succeed(id).await;
        assert_eq!(committed, Committed { is_first_to_pay }, "{id}");
    }
    assert_eq!(payers_of(&world, "ORDER-1").await, ["211/one", "211/two"]);
    assert_eq!(payers_of(&world, "order-2").await, ["211/other"]);
}

/// The payment pays `order-1`, then `order-9`, and then `order-1` again. In between, another payment could have paid
/// `order-1`.
#[tokio::test]
async fn a_payment_that_pays_its_order_a_second_time_is_not_the_first_to_pay() {
    let world = World::new().await;
    let change = created_for("shop", "one", "order-1");
    world.store().commit(commit(&change, None)).await.unwrap();
    assert!(world.succeed("one").await.is_first_to_pay);
    for (order_id, is_first_to_pay) in [("order-9", true), ("order-1", false)] {
        let stored = world.load("one").await;
        let change = pays_another_order(&stored, order_id);
        let over = commit(&change, Some(&stored));
        let committed = world.store().commit(over).await.unwrap();
        assert_eq!(committed, Committed { is_first_to_pay }, "{order_id}");
    }
    assert_eq!(payers_of(&world, "order-1").await, ["211/one"]);
}

#[tokio::test]
async fn a_conflict_stores_no_paid_order() {
    let world = World::new().await;
    for (id, order_id) in [("one", "order-1"), ("other", "order-2")] {
        let change = created_for("shop", id, order_id);
        world.store().commit(commit(&change, None)).await.unwrap();
        world.succeed(id).await;
    }
    let stored = world.load("other").await;
    let old = Stored {
        version: 1,
        ..stored.clone()
    };
    for (order_id, paid) in [("order-3", vec![]), ("order-1", vec!["211/one"])] {
        let change = pays_another_order(&stored, order_id);
        let lost = world.store().commit(commit(&change, Some(&old))).await;
        assert!(matches!(lost, Err(CommitError::Conflict)), "{lost:?}");
        assert_eq!(payers_of(&world, order_id).await, paid);
    }
}
