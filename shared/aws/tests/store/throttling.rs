//! Tests that a throttled call is repeated. A call that stays throttled returns an error, never a conflict or a missing
//! item.

use payments::Timestamp;
use payments::decide::{Fact, SignedReport};
use payments::ports::{
    CommitError, Daily, Index, PaymentStore, ProgressStore, StoreError, StorefrontStore,
};
use payments::service::backoff::TRIES;
use payments::service::error::ApplyError;
use serde_json::{Value, json};
use wire::STOREFRONT_KEYS;

use crate::world::{World, commit, created, in_an_hour, key, report, succeeded, without_events};

const TRANSACTION: &str = "TransactWriteItems";

/// The codes that say that an item of a cancelled transaction was throttled, or that the transaction is still running.
const CODES: [&str; 3] = [
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "TransactionInProgress",
];
/// The codes of calls that were throttled as a whole, or whose transaction is still running.
const CALL_CODES: [&str; 4] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionInProgressException",
];

/// More tries than a call makes.
const MORE_THAN_ALL: usize = TRIES as usize + 1;

fn refused(code: &str) -> Value {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    json!({ "__type": kind, "message": "refused by the test" })
}

/// Returns the answer to a transaction that was cancelled for these reasons, one for each item.
fn cancelled(codes: &[&str]) -> Value {
    let mut answer = refused("TransactionCanceledException");
    let reasons = codes.iter().map(|code| json!({ "Code": code }));
    answer["CancellationReasons"] = reasons.collect();
    answer
}

fn calls(operation: &str, times: usize) -> Vec<String> {
    vec![operation.to_owned(); times]
}

#[tokio::test]
async fn a_transaction_with_a_throttled_item_is_repeated_as_the_same_transaction() {
    for code in CODES {
        let world = World::new().await;
        let answer = cancelled(&["None", code, "None", "None"]);
        world.wire.refuse(TRANSACTION, 4, &answer);
        world.create("order").await;
        assert_eq!(world.wire.calls(), calls(TRANSACTION, 5), "{code}");
        let mut tokens = world.wire.tokens();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "{code}");
        assert_eq!(world.load("order").await.version, 1);
    }
}

#[tokio::test]
async fn the_next_try_decides_if_an_item_was_throttled_and_another_condition_failed() {
    for other in ["ConditionalCheckFailed", "TransactionConflict"] {
        let world = World::new().await;
        world.create("order").await;
        let old = world.load("order").await;
        let change = succeeded("order", &old);
        let answer = cancelled(&["None", "ThrottlingError", other]);
        // In the second try, the condition holds: no payment has paid the order yet.
        world.wire.refuse(TRANSACTION, 1, &answer);
        let committed = world.store().commit(commit(&change, Some(&old))).await;
        assert!(committed.unwrap().is_first_to_pay);
        // In the second try, the condition fails: the version has changed.
        world.wire.refuse(TRANSACTION, 1, &answer);
        let committed = world.store().commit(commit(&change, Some(&old))).await;
        assert!(
            matches!(committed, Err(CommitError::Conflict)),
            "{committed:?}"
        );
    }
}

#[tokio::test]
async fn a_transaction_that_stays_throttled_returns_no_conflict_and_writes_nothing() {
    for codes in [
        &["None", "ThrottlingError", "None", "None"],
        &["ConditionalCheckFailed", "ThrottlingError", "None", "None"],
        &[
            "TransactionConflict",
            "ProvisionedThroughputExceeded",
            "None",
            "None",
        ],
        &["None", "ThrottlingError", "None", "ConditionalCheckFailed"],
    ] {
        let world = World::new().await;
        world
            .wire
            .refuse(TRANSACTION, MORE_THAN_ALL, &cancelled(codes));
        let committed = world.store().commit(commit(&created("order"), None)).await;
        let Err(CommitError::Store(StoreError::Failed(why))) = committed else {
            panic!("{codes:?}: {committed:?}");
        };
        assert!(why.contains("TransactionCanceledException"), "{why}");
        assert_eq!(world.wire.calls(), calls(TRANSACTION, TRIES as usize));
        assert!(world.store().load(&key("order")).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_plain_update_of_an_item_that_a_transaction_writes_is_a_conflict() {
    let world = World::new().await;
    world.create("order").await;
    let old = world.load("order").await;
    let change = without_events(&old);
    let answer = refused("TransactionConflictException");
    world.wire.refuse("UpdateItem", 1, &answer);
    let committed = world.store().commit(commit(&change, Some(&old))).await;
    assert!(
        matches!(committed, Err(CommitError::Conflict)),
        "{committed:?}"
    );
    assert_eq!(world.load("order").await.version, old.version);
}

#[tokio::test]
async fn applying_a_fact_fails_with_an_error_of_the_store_when_its_payment_stays_throttled() {
    let world = World::new().await;
    world.create("order").await;
    world
        .wire
        .refuse(TRANSACTION, MORE_THAN_ALL, &cancelled(&["ThrottlingError"]));
    let report = report("order", 1, "sale", 1000);
    let fact = Fact::Callback(SignedReport {
        report: &report,
        canonical: "d",
    });
    let applied = world.payments.apply(&key("order"), fact).await;
    assert!(matches!(applied, Err(ApplyError::Store(_))), "{applied:?}");
}

#[tokio::test]
async fn a_throttled_call_is_repeated() {
    for code in CALL_CODES {
        let world = World::new().await;
        world.create("order").await;
        let stored = world.load("order").await;
        let tries = 4;
        for operation in ["GetItem", "UpdateItem", "Query"] {
            world.wire.refuse(operation, tries - 1, &refused(code));
        }
        world.wire.forget();
        assert_eq!(world.load("order").await, stored);
        let change = without_events(&stored);
        let update = commit(&change, Some(&stored));
        world.store().commit(update).await.unwrap();
        let events = world.store().events(&key("order"), 1, 1).await;
        assert_eq!(events.unwrap().len(), 1);
        let expected = ["GetItem", "UpdateItem", "Query"].map(|name| calls(name, tries));
        assert_eq!(world.wire.calls(), expected.concat(), "{code}");
    }
}

#[tokio::test]
async fn each_read_and_each_write_that_stays_throttled_returns_an_error() {
    let world = World::new().await;
    world.create("order").await;
    let stored = world.load("order").await;
    let tries = TRIES as usize;
    for (operation, count) in [("GetItem", 4), ("Query", 2), ("UpdateItem", 4)] {
        // The calls below use up all refusals, so the last `load` succeeds.
        let refusal = refused("ThrottlingException");
        world.wire.refuse(operation, count * tries, &refusal);
    }
    let (store, id, now) = (world.store(), key("order"), Timestamp::now());
    let project_id = id.project_id();
    let change = without_events(&stored);
    let keys = store.storefront_keys(STOREFRONT_KEYS);
    let reads = async {
        tokio::join!(
            store.load(&id),
            store.checkout_of_token("order"),
            keys.storefront("key"),
            store.progress(project_id, Daily::Report),
            store.events(&id, 1, 1),
            store.due(Index::Outbox, 0, in_an_hour(), None),
        )
    };
    let writes = async {
        tokio::join!(
            store.commit(commit(&change, Some(&stored))),
            store.mark_published(&id, 1),
            store.advance(project_id, Daily::Report, now),
            store.claim_wait_slot("1", now, in_an_hour()),
        )
    };
    let (reads, writes) = tokio::join!(reads, writes);

    reads.0.unwrap_err();
    reads.1.unwrap_err();
    reads.2.unwrap_err();
    reads.3.unwrap_err();
    reads.4.unwrap_err();
    reads.5.unwrap_err();
    assert!(matches!(writes.0, Err(CommitError::Store(_))), "{writes:?}");
    writes.1.unwrap_err();
    writes.2.unwrap_err();
    writes.3.unwrap_err();
    assert_eq!(world.load("order").await, stored);
}
