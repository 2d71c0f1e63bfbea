//! Tests the queue of deliveries.

use aws::delivery_queue::SqsDeliveryQueue;
use payments::ports::{DeliveryMessage, DeliveryQueue, FirstTry, Retry, RetryAction};

use super::*;

const URL: &str = "https://queues.example/deliveries.fifo";

fn message(number: usize) -> DeliveryMessage {
    let first_try = FirstTry {
        endpoint: endpoint_key("shop", "ep_1"),
        payment_id: format!("order-{number}"),
        sequence: 1,
    };
    DeliveryMessage::first_try(first_try, &number.to_string())
}

#[tokio::test]
async fn messages_are_sent_in_batches_with_their_groups_and_deduplication_ids() {
    let wire = wire::Wire::start().await.unwrap();
    let queue = SqsDeliveryQueue::new(wire.config(), URL);
    let messages: Vec<DeliveryMessage> = (0..23).map(message).collect();
    let results = queue.send(&messages).await;
    assert!(results.len() == 23 && results.iter().all(Result::is_ok));
    assert_eq!(wire.calls(), ["SendMessageBatch"; 3]);
    let groups: Vec<&str> = messages
        .iter()
        .map(|message| message.group.as_str())
        .collect();
    assert_eq!(wire.attributes(URL, "MessageGroupId"), groups);
    let ids: Vec<&str> = messages
        .iter()
        .map(|one| one.deduplication_id.as_str())
        .collect();
    assert_eq!(wire.attributes(URL, "MessageDeduplicationId"), ids);
    assert_eq!(wire.sent(URL)[0]["payment_id"], "order-0");
}

#[tokio::test]
async fn a_broken_queue_fails_every_message() {
    let wire = wire::Wire::start().await.unwrap();
    let queue = SqsDeliveryQueue::new(wire.config(), URL);
    wire.break_queue(URL);
    let results = queue.send(&[message(1), message(2)]).await;
    assert!(results.len() == 2 && results.iter().all(Result::is_err));
}

#[tokio::test]
async fn large_messages_are_sent_in_more_batches() {
    let wire = wire::Wire::start().await.unwrap();
    let queue = SqsDeliveryQueue::new(wire.config(), URL);
    let retry = |number: usize| {
        let retry = Retry {
            endpoint: endpoint_key("shop", "ep_1"),
            payments: (0..100)
                .map(|one| format!("{number}-{one}-{}", "x".repeat(1_000)))
                .collect(),
            action: RetryAction::Deliver,
            until: NOW,
        };
        DeliveryMessage::retry(retry, 1, NOW)
    };
    let messages: Vec<DeliveryMessage> = (0..10).map(retry).collect();
    let results = queue.send(&messages).await;
    assert!(results.len() == 10 && results.iter().all(Result::is_ok));
    assert_eq!(wire.calls().len(), 2);
}
