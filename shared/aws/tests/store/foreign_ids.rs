//! Tests that a payment with any id that the platform allows can be stored, found, published and logged.
//!
//! The tests check the size limits of DynamoDB, because the emulated table does not check all of them.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::decide::{Fact, SignedReport, decide};
use payments::log::Line;
use payments::model::day::Day;
use payments::ports::{CommitError, PaymentStore};
use payments::{Timestamp, escape};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use wire::TABLE;

use crate::world::{AUDIT, TWO_DAYS, World, commit, dated_report, in_30_seconds, key};

/// DynamoDB's maximum size of a partition key, of a sort key and of an item, in bytes.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_PARTITION_KEY: usize = 2_048;
const MAX_SORT_KEY: usize = 1_024;
const MAX_ITEM: usize = 400 * 1_024;

/// Characters that some store, queue, log or terminal treats as special.
const SPECIAL: [char; 24] = [
    '\0',
    '\u{1}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    ' ',
    '"',
    '\\',
    '/',
    '#',
    '~',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{200b}',
    '\u{202e}',
    '\u{2028}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{fffe}',
    '\u{ffff}',
    '\u{1ffff}',
    '\u{10ffff}',
];

/// Returns ids of 1 to 255 characters from all planes of Unicode.
fn ids() -> impl Strategy<Value = String> {
    let character = || {
        prop_oneof![
            2 => any::<char>(),
            2 => select(&SPECIAL[..]),
            1 => (0x1_0000..=0x10_ffff_u32).prop_filter_map("no character", char::from_u32),
            1 => proptest::char::range(' ', '~'),
        ]
    };
    let text = |characters: Vec<char>| String::from_iter(characters);
    prop_oneof![
        1 => vec(character(), 1..=3).prop_map(text),
        2 => vec(character(), 1..=255).prop_map(text),
        2 => vec(character(), 255).prop_map(text),
        1 => character().prop_map(|character| String::from_iter([character; 255])),
    ]
}

/// Returns the id with the most bytes: 255 characters of four bytes each.
fn longest() -> String {
    "\u{10ffff}".repeat(255)
}

#[test]
fn a_payment_with_an_id_of_any_characters_is_stored_found_published_and_logged() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for id in [
        longest(),
        "\u{ffff}".repeat(255),
        "\0".repeat(255),
        " ".to_owned(),
    ] {
        runtime.block_on(check(&id)).unwrap();
    }
    let config = Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&ids(), |id| runtime.block_on(check(&id)));
    result.unwrap();
}

#[tokio::test]
async fn a_payment_id_that_is_empty_or_longer_than_255_characters_is_refused() {
    let project_id = key("order").project_id();
    let parsed = |id: &str| payments::PaymentKey::parse(project_id, id);
    assert_eq!(parsed(""), None);
    assert_eq!(parsed(&"x".repeat(256)), None);
    assert!(parsed(&longest()).is_some());
}

async fn check(id: &str) -> Result<(), TestCaseError> {
    let world = World::new().await;
    // The date differs from the day of the first report, so the payment belongs to two days.
    let date = Timestamp::now().before(TWO_DAYS);
    let mut report = dated_report("order", 1, "sale", 1000, date);
    report.payment_id = Some(id.to_owned());
    let fact = Fact::Callback(SignedReport {
        report: &report,
        canonical: "d",
    });
    let change = decide(None, fact, Timestamp::now()).unwrap();
    let committed: Result<_, CommitError> = world.store().commit(commit(&change, None)).await;
    prop_assert!(committed.is_ok(), "{committed:?}");

    let stored = world.load(id).await;
    prop_assert_eq!(stored.payment.payment_id(), id);
    let expected = vec![key(id).to_string()];
    let day = Day::of(stored.payment.created_at());
    prop_assert_eq!(&world.of_day(day).await, &expected);
    prop_assert_eq!(&world.outbox_ids().await, &expected);
    items_fit(&world).await?;

    let run = world
        .sweeper()
        .sweep_outbox(Duration::ZERO, in_30_seconds())
        .await;
    prop_assert_eq!((run.done, run.failed), (1, 0), "{:?}", run);
    let sent = world.wire.sent(AUDIT);
    prop_assert_eq!(sent.len(), 1);
    prop_assert_eq!(&sent[0]["subject"], &json!(id));
    prop_assert_eq!(&sent[0]["id"], &json!(format!("211/{id}/1")));
    prop_assert_eq!(&sent[0]["data"]["payment_id"], &json!(id));

    let line = Line::info("callback").with("payment", id);
    let line = line.at(Timestamp::now());
    prop_assert!(line.chars().all(escape::is_visible), "{}", line);
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    prop_assert_eq!(&line["payment"], id);
    Ok(())
}

/// Checks the sizes of the items, and of the keys of the table and its indexes, against DynamoDB's maximum sizes.
async fn items_fit(world: &World) -> Result<(), TestCaseError> {
    let client = aws_sdk_dynamodb::Client::new(world.wire.config());
    let items = client.scan().table_name(TABLE).send().await.unwrap().items;
    let items = items.unwrap();
    prop_assert!(items.len() >= 3, "expected a payment, an event and a day");
    let sort_keys = wire::sort_keys().unwrap();
    for item in &items {
        let sizes = item.iter().map(|(name, value)| name.len() + size(value));
        prop_assert!(sizes.sum::<usize>() <= MAX_ITEM);
        for name in wire::keys().unwrap() {
            let limit = match sort_keys.contains(&name) {
                true => MAX_SORT_KEY,
                false => MAX_PARTITION_KEY,
            };
            let length = item.get(&name).map_or(1, size);
            prop_assert!(
                (1..=limit).contains(&length),
                "{} has {} bytes",
                name,
                length
            );
        }
    }
    Ok(())
}

fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        other => panic!("{other:?}"),
    }
}
