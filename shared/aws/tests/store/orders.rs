//! Who has paid an order.

use ecommpay::fields::ProjectId;
use futures_util::future::join_all;
use payments::MerchantId;
use payments::decide::Change;
use payments::model::PaidOrder;
use payments::ports::{CommitError, Committed, PaymentStore, Stored};

use crate::world::{World, commit, created_for, silent};

/// A change without events that pays another order with the same money. No fact brings it: the
/// document is changed as a later release might.
fn of_order(stored: &Stored, order_id: &str) -> Change {
    let mut document = serde_json::to_value(&stored.payment).unwrap();
    document["order"]["order_id"] = order_id.into();
    Change {
        payment: serde_json::from_value(document).unwrap(),
        ..silent(stored)
    }
}

#[tokio::test]
async fn of_many_at_once_one_is_the_first_to_pay() {
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
async fn who_has_paid_an_order_is_found_by_it() {
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
    let project_id = ProjectId::new(211).unwrap();
    let paid_by = async |order_id: &str| {
        let order_id = MerchantId::new(order_id).unwrap();
        let order = PaidOrder {
            project_id,
            storefront: "shop",
            order_id: &order_id,
        };
        let found = world.store().paid_by(order).await;
        let keys = found.unwrap().into_iter().map(|key| key.to_string());
        keys.collect::<Vec<_>>()
    };
    assert!(paid_by("order-1").await.is_empty(), "nobody yet");
    assert!(world.succeed("one").await.is_first_to_pay);
    assert_eq!(paid_by("order-1").await, ["211/one"]);
    for (id, is_first_to_pay) in [("two", false), ("other", true), ("elsewhere", true)] {
        let committed = world.succeed(id).await;
        assert_eq!(committed, Committed { is_first_to_pay }, "{id}");
    }
    assert_eq!(paid_by("ORDER-1").await, ["211/one", "211/two"]);
    // Whoever pays it again is not the first: others may have paid it meanwhile.
    for (order_id, is_first_to_pay) in [("order-9", true), ("order-1", false)] {
        let stored = world.load("one").await;
        let change = of_order(&stored, order_id);
        let over = commit(&change, Some(&stored));
        let committed = world.store().commit(over).await.unwrap();
        assert_eq!(committed, Committed { is_first_to_pay }, "{order_id}");
    }
    assert_eq!(paid_by("order-1").await, ["211/one", "211/two"], "once");
    assert_eq!(paid_by("order-2").await, ["211/other"]);
    // Of a change that others were faster than nothing is left, whoever has paid the order.
    let stored = world.load("other").await;
    let late = Stored {
        version: 1,
        ..stored.clone()
    };
    for (order_id, paid) in [("order-3", vec![]), ("order-1", paid_by("order-1").await)] {
        let change = of_order(&stored, order_id);
        let lost = world.store().commit(commit(&change, Some(&late))).await;
        assert!(matches!(lost, Err(CommitError::Conflict)), "{lost:?}");
        assert_eq!(paid_by(order_id).await, paid);
    }
}
