//! Events that could not be sent at once.

use std::sync::atomic::Ordering::SeqCst;

use payments::model::Status;

use super::stage::*;

#[tokio::test]
async fn what_could_not_be_sent_is_sent_first_by_the_next_who_publishes() {
    let world = World::new();
    world.queue.failures.store(1, SeqCst);
    assert!(
        world.create(&shop("shop"), 1000).await.is_ok(),
        "a queue that is down stops no shopper"
    );
    assert!(world.sent().is_empty());

    world.queue.failures.store(1, SeqCst);
    assert!(
        !world.hear("success", "success").await,
        "not announced, so not acknowledged"
    );
    assert_eq!(world.status().await, Status::Succeeded, "but kept");
    assert!(
        world.hear("success", "success").await,
        "the platform's repeat"
    );
    assert_eq!(world.sent(), ["1 payment.created", "2 payment.succeeded"]);
    assert!(world.hear("success", "success").await);
    assert_eq!(world.sent().len(), 2, "a duplicate is not sent again");
}
