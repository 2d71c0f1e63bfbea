//! Tests the wait slots. A request may wait only while it holds a slot.

use std::time::Duration;

use futures_util::future::join_all;
use payments::model::timestamp::Timestamp;

use crate::world::World;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

#[tokio::test]
async fn only_one_of_many_concurrent_requests_claims_a_slot() {
    let world = World::new().await;
    let store = world.store();
    let until = NOW.after(Duration::from_secs(2));
    for slot in ["0", "1", "storefront#1"] {
        let claims = join_all((0..10).map(|_| store.claim_wait_slot(slot, NOW, until))).await;
        let claimed = claims.into_iter().filter(|claim| *claim.as_ref().unwrap());
        assert_eq!(claimed.count(), 1, "slot {slot}");
    }
}

#[tokio::test]
async fn a_slot_is_free_after_its_release_or_after_the_end_of_the_claim() {
    let world = World::new().await;
    let store = world.store();
    let until = NOW.after(Duration::from_secs(2));
    assert!(store.claim_wait_slot("1", NOW, until).await.unwrap());
    assert!(!store.claim_wait_slot("1", until, until).await.unwrap());

    store.release_wait_slot("1", until).await.unwrap();
    assert!(store.claim_wait_slot("1", NOW, until).await.unwrap());

    // The claim ends before its release, and a later request claims the slot. The late release must not free the slot
    // of the later request.
    let later = until.after(Duration::from_millis(1));
    let end = later.after(Duration::from_secs(2));
    assert!(store.claim_wait_slot("1", later, end).await.unwrap());
    store.release_wait_slot("1", until).await.unwrap();
    assert!(!store.claim_wait_slot("1", later, end).await.unwrap());
}
