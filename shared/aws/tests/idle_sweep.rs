//! Tests that the cost of a sweep with nothing due does not depend on the number of payments. The test stores 20,000
//! payments, or a million with `LONG=1`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::time::Duration;

use aws::dynamodb::DynamoStore;
use aws::sqs::SqsQueue;
use aws::work_queue::SqsWorkQueue;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use ecommpay::fields::ProjectId;
use futures_util::stream::{self, StreamExt};
use payments::model::schedule::Schedule;
use payments::ports::{SHARDS, SystemClock};
use payments::service::sweep::Sweeper;
use payments::{Payments, Timestamp};
use tokio::time::Instant;
use wire::{TABLE, Wire};

/// The maximum number of items that one call writes
/// ([`BatchWriteItem`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html)).
const BATCH: u64 = 25;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Returns the write of a payment whose next action is not due yet. The item has only its key and the attributes of the
/// index `next`.
fn payment(number: u64, later: Timestamp) -> WriteRequest {
    let text = |value: String| AttributeValue::S(value);
    let shard = number % u64::from(SHARDS);
    let next = match number % 4 {
        0 => format!("erase#{shard:02}"),
        1 => format!("poll#211#{shard:02}"),
        2 => format!("poll#212#{shard:02}"),
        _ => format!("expire#{shard:02}"),
    };
    let put = PutRequest::builder()
        .item("pk", text(format!("payment#211/order-{number}")))
        .item("sk", text("payment".into()))
        .item("next", text(next))
        .item(
            "next_at",
            AttributeValue::N(later.unix_millis().to_string()),
        );
    WriteRequest::builder()
        .put_request(put.build().unwrap())
        .build()
}

/// Runs a whole sweep. Returns the number of calls of each DynamoDB operation.
async fn sweep(wire: &Wire) -> BTreeMap<String, usize> {
    let payments = Payments {
        store: DynamoStore::new(wire.config(), TABLE),
        queues: SqsQueue::all(wire.config(), Vec::new()),
        clock: SystemClock,
        schedule: Schedule::default(),
    };
    let sweeper = Sweeper {
        payments: &payments,
        queue: &SqsWorkQueue::new(wire.config(), "https://queues.example/work"),
        polls_per_second: 20,
    };
    let projects = [211, 212].map(|number| ProjectId::new(number).unwrap());
    wire.forget();
    let end = Instant::now() + Duration::from_secs(600);
    let runs = tokio::join!(
        sweeper.sweep_outbox(Duration::ZERO, end),
        sweeper.hand_out_polls(projects, end),
        sweeper.expire(end),
        sweeper.erase(end),
        sweeper.count_overdue(end),
    );
    for run in [runs.0, runs.1.polled, runs.2, runs.3, runs.4] {
        assert_eq!((run.found, run.failed), (0, 0), "{run:?}");
    }
    let mut calls = BTreeMap::new();
    for call in wire.calls() {
        *calls.entry(call).or_default() += 1;
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_with_nothing_due_makes_the_same_calls_for_any_number_of_payments() {
    let wire = Wire::start().await.unwrap();
    let calls_when_empty = sweep(&wire).await;
    let long = std::env::var("LONG").is_ok_and(|long| long == "1");
    let payments = if long { 1_000_000 } else { 20_000 };
    let later = Timestamp::now().after(DAY);
    let client = Client::new(wire.config());
    let batches = stream::iter((0..payments).step_by(BATCH as usize));
    batches
        .map(|first| {
            let batch = (first..first + BATCH).map(|number| payment(number, later));
            let write = client
                .batch_write_item()
                .request_items(TABLE, batch.collect());
            async move {
                let unprocessed = write.send().await.unwrap().unprocessed_items;
                assert!(unprocessed.is_none_or(|items| items.is_empty()));
            }
        })
        .buffer_unordered(16)
        .collect::<()>()
        .await;
    let calls = sweep(&wire).await;
    println!("{payments} payments: {calls:?}");
    assert_eq!(calls, calls_when_empty);
    // The sweep queries all shards of each of six lists: the outbox, the polls of the first project, the polls of the
    // second project, the expiry, the erasure and the overdue payments.
    let queries = 6 * usize::from(SHARDS);
    assert_eq!(calls, [("Query".to_owned(), queries)].into());
}
