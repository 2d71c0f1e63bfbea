//! Tests that `checkout.expired` is emitted once, and only while the payment is undecided.

use std::time::Duration;

use payments::model::schedule::Next;
use payments::model::{CheckoutState, Status};
use payments::service::sweep::batch_run::BatchRun;

use super::system::*;
use crate::builders::key;

/// The default lifetime of a checkout.
const EXPIRES_IN: Duration = Duration::from_secs(1_800);

async fn expire_all(system: &System) -> BatchRun {
    system.sweeper().expire(in_a_minute()).await
}

fn counts(run: &BatchRun) -> (u64, u64, u64) {
    (run.found, run.done, run.failed)
}

/// Adds the payment to the index of due expiries. A real index can also list a payment that is no longer due.
fn list_as_due(system: &System) {
    let next = Next::Expire(system.now());
    system.tables().next.insert(key(PAYMENT), next);
}

/// Creates a payment whose checkout has expired. `checkout.expired` is not emitted yet.
async fn expired() -> System {
    let system = System::created(&[]).await;
    system.pass(EXPIRES_IN);
    list_as_due(&system);
    system
}

#[tokio::test]
async fn two_parallel_runs_emit_the_expiry_of_a_due_checkout_once() {
    let system = System::created(&[]).await;
    system.pass(EXPIRES_IN - Duration::from_millis(1));
    list_as_due(&system);
    assert_eq!(counts(&expire_all(&system).await), (1, 1, 0));
    assert_eq!(
        system.sent(),
        ["1 payment.created"],
        "the expiry is emitted too early"
    );

    system.pass(Duration::from_millis(1));
    list_as_due(&system);
    let both = tokio::join!(expire_all(&system), expire_all(&system));
    assert_eq!((both.0.failed, both.1.failed), (0, 0));
    // Both runs can send the event. A real queue drops the repeat.
    let mut sent = system.sent();
    sent.dedup();
    assert_eq!(sent, ["1 payment.created", "2 checkout.expired"]);
    let payment = system.payment(PAYMENT);
    assert_eq!(payment.status(), Status::Processing);
    assert_eq!(
        payment.checkout_state(system.now()),
        Some(CheckoutState::Expired)
    );

    system.pass(EXPIRES_IN);
    list_as_due(&system);
    expire_all(&system).await;
    assert_eq!(system.payment(PAYMENT), payment);
}

#[tokio::test]
async fn a_due_expiry_is_found_in_its_index_and_then_removed_from_the_index() {
    let system = System::with_link().await;
    let expires_at = system.now().after(EXPIRES_IN);
    // Some status polls are due before the expiry.
    while let Some(Next::Poll(due)) = system.payments.schedule.next(&system.payment(PAYMENT)) {
        assert!(due < expires_at);
        system.pass_until(due);
        assert_eq!(expire_all(&system).await.found, 0);
        system.poll(None).await.unwrap_err();
    }
    let next = system.payments.schedule.next(&system.payment(PAYMENT));
    assert_eq!(next, Some(Next::Expire(expires_at)));
    system.pass_until(expires_at);
    assert_eq!(counts(&expire_all(&system).await), (1, 1, 0));
    assert_eq!(system.sent().last().unwrap(), "3 checkout.expired");
    assert_eq!(expire_all(&system).await.found, 0);
}

#[tokio::test]
async fn a_decided_payment_that_is_still_listed_as_due_is_not_changed() {
    let system = System::paid(&[]).await;
    let (stored, sent) = (
        system.tables().payments[&key(PAYMENT)].clone(),
        system.sent(),
    );
    system.pass(EXPIRES_IN);
    list_as_due(&system);
    assert_eq!(counts(&expire_all(&system).await), (1, 1, 0));
    assert_eq!(system.tables().payments[&key(PAYMENT)], stored);
    assert_eq!(system.sent(), sent);
}

#[tokio::test]
async fn an_expiry_is_never_emitted_after_a_success_that_is_committed_in_parallel() {
    let system = expired().await;
    let (run, is_acknowledged) = tokio::join!(expire_all(&system), system.sale_succeeds());
    assert!(is_acknowledged && run.failed == 0, "{run:?}");
    assert_eq!(system.status(), Status::Succeeded);
    let sent = system.sent();
    let is_success = |event: &&String| event.ends_with("payment.succeeded");
    assert_eq!(sent.iter().filter(is_success).count(), 1, "{sent:?}");
    assert!(
        sent.last().is_some_and(|last| is_success(&last)),
        "{sent:?}"
    );
}

#[tokio::test]
async fn an_expiry_that_no_queue_accepts_is_published_by_the_outbox_sweep() {
    let system = expired().await;
    system.behaviour().sends(1);
    assert_eq!(counts(&expire_all(&system).await), (1, 0, 1));
    assert_eq!(system.sent(), ["1 payment.created"]);
    system.pass(MINUTE);
    let sweeper = system.sweeper();
    let sweep = sweeper.sweep_outbox(Duration::ZERO, in_a_minute());
    assert_eq!(counts(&sweep.await), (1, 1, 0));
    assert_eq!(system.sent(), ["1 payment.created", "2 checkout.expired"]);
}
