//! The ends of checkouts: each is emitted once, and only while the payment is undecided.

use std::time::Duration;

use payments::model::schedule::Next;
use payments::model::{CheckoutState, Status};
use payments::ports::{Clock, PaymentStore};
use payments::service::sweep::batch_run::BatchRun;
use payments::{PaymentKey, Timestamp};
use tokio::time::Instant;

use super::stage::*;

/// The default time of a checkout.
const EXPIRES_IN: Duration = Duration::from_secs(1_800);

async fn expire_all(world: &World) -> BatchRun {
    let deadline = Instant::now() + Duration::from_secs(60);
    world.payments.expire_all(deadline).await
}

fn counts(round: &BatchRun) -> (u64, u64, u64) {
    (round.found, round.done, round.failed)
}

/// The plan for a payment as an index may still have it after a change.
fn leave_in_index(world: &World, key: PaymentKey, since: Timestamp) {
    let mut plans = world.payments.store.plans.lock().unwrap();
    plans.insert(key, Next::Expire(since));
}

fn expiries(world: &World) -> usize {
    let sent = world.sent();
    let is_expiry = |event: &&String| event.ends_with("checkout.expired");
    sent.iter().filter(is_expiry).count()
}

#[tokio::test]
async fn a_due_checkout_emits_its_expiry_once() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    world.pass(EXPIRES_IN - Duration::from_millis(1));
    // The status requests that are due before it are not sent in this test.
    leave_in_index(&world, key(), world.payments.clock.now());
    assert_eq!(counts(&expire_all(&world).await), (1, 1, 0));
    assert_eq!(expiries(&world), 0, "its time has not run out");

    world.pass(Duration::from_millis(1));
    leave_in_index(&world, key(), world.payments.clock.now());
    let both = tokio::join!(expire_all(&world), expire_all(&world));
    assert_eq!((both.0.failed, both.1.failed), (0, 0));
    assert_eq!(world.sent(), ["1 payment.created", "2 checkout.expired"]);
    let payment = world.payment().await;
    assert_eq!(payment.status(), Status::Processing);
    let now = world.payments.clock.now();
    assert_eq!(payment.checkout_state(now), Some(CheckoutState::Expired));

    world.pass(EXPIRES_IN);
    leave_in_index(&world, key(), world.payments.clock.now());
    expire_all(&world).await;
    assert_eq!(expiries(&world), 1, "once");
}

#[tokio::test]
async fn an_expiry_is_planned_and_found_in_its_index() {
    let world = World::new();
    let on_page = r#""channel":"payment_page","#;
    world.create_with(&shop("shop"), on_page).await.unwrap();
    let expires_at = world.payments.clock.now().after(EXPIRES_IN);
    // Status requests come first, as long as they are due before.
    while let Some(Next::Poll(due)) = world.payments.schedule.next(&world.payment().await) {
        assert!(due < expires_at);
        world.pass_until(due);
        assert_eq!(expire_all(&world).await.found, 0);
        world.poll(None).await.unwrap_err();
    }
    let next = world.payments.schedule.next(&world.payment().await);
    assert_eq!(next, Some(Next::Expire(expires_at)));
    world.pass_until(expires_at);
    assert_eq!(counts(&expire_all(&world).await), (1, 1, 0));
    assert_eq!(expiries(&world), 1);
    assert_eq!(expire_all(&world).await.found, 0, "it left the index");
}

/// What was decided just now may still be listed.
#[tokio::test]
async fn a_payment_that_is_decided_meanwhile_emits_no_expiry() {
    for (status, operation, is_due) in [
        ("success", "success", false),
        ("decline", "decline", false),
        ("awaiting confirmation", "success", false),
        ("processing", "processing", true),
    ] {
        let world = World::new();
        world.create(&shop("shop"), 1000).await.unwrap();
        world.hear(status, operation).await;
        let sent = world.sent();
        world.pass(EXPIRES_IN);
        leave_in_index(&world, key(), world.payments.clock.now());
        assert_eq!(counts(&expire_all(&world).await), (1, 1, 0));
        assert_eq!(expiries(&world), usize::from(is_due), "{status}");
        if !is_due {
            assert_eq!(world.sent(), sent, "{status}");
            let stored = world.payments.store.load(&key()).await.unwrap();
            assert_eq!(stored.unwrap().version, 3, "{status}: nothing is written");
        }
    }
}

#[tokio::test]
async fn a_payment_that_is_decided_while_its_expiry_is_committed_ends_the_same_way() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    world.pass(EXPIRES_IN);
    leave_in_index(&world, key(), world.payments.clock.now());
    let (round, is_sent) = tokio::join!(expire_all(&world), world.hear("success", "success"));
    assert!(is_sent && round.failed == 0, "{round:?}");
    assert_eq!(world.status().await, Status::Succeeded);
    let sent = world.sent();
    let succeeded = sent.iter().filter(|one| one.ends_with("payment.succeeded"));
    assert_eq!(succeeded.count(), 1, "{sent:?}");
    // Whichever was first: an expiry never follows the success.
    assert!(
        sent.last().unwrap().ends_with("payment.succeeded"),
        "{sent:?}"
    );
}

#[tokio::test]
async fn money_after_an_emitted_expiry_is_late() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    world.pass(EXPIRES_IN);
    leave_in_index(&world, key(), world.payments.clock.now());
    expire_all(&world).await;
    world.hear("success", "success").await;
    let sent = [
        "1 payment.created",
        "2 checkout.expired",
        "3 payment.succeeded",
    ];
    assert_eq!(world.sent(), sent);
    let body = world.payments.store.events.lock().unwrap()[&(key(), 3)]
        .body
        .clone();
    let event: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(event["data"]["late"], true);
    assert_eq!(event["data"]["checkout"], "expired", "it stays expired");
}

#[tokio::test]
async fn an_expiry_that_cannot_be_sent_is_kept_and_sent_by_the_outbox_sweep() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    world.pass(EXPIRES_IN);
    leave_in_index(&world, key(), world.payments.clock.now());
    world
        .queue
        .failures
        .store(1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(counts(&expire_all(&world).await), (1, 0, 1));
    assert_eq!(expiries(&world), 0);
    world.pass(Duration::from_secs(60));
    let deadline = Instant::now() + Duration::from_secs(60);
    let sweep = world.payments.sweep_outbox(Duration::ZERO, deadline).await;
    assert_eq!(counts(&sweep), (1, 1, 0));
    assert_eq!(world.sent(), ["1 payment.created", "2 checkout.expired"]);
}
