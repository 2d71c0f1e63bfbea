//! Tests the index of days. It lists a payment on the day of its creation and on each day on which an operation ended.

use std::time::Duration;

use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use payments::Timestamp;
use payments::decide::{Change, Fact, SignedReport, decide};
use payments::model::Payment;
use payments::model::day::Day;
use payments::ports::{CommitError, PaymentStore};

use crate::world::{World, commit, key, without_events};

/// Returns the change that a status answer causes. The answer has one declined refund on each day of `days`. Day 0 is 1
/// January 2026.
fn ended_on(payment: Option<&Payment>, id: &str, days: std::ops::Range<u64>) -> Change {
    let start = Timestamp::of_platform("2026-01-01T23:59:59+0000").unwrap();
    let operation = |day: u64| {
        let date = start.after(Duration::from_secs(day * 24 * 3_600));
        let date = date.to_string().replace('Z', "+0000");
        format!(
            r#"{{"id":{},"type":"refund","status":"decline","date":"{date}"}}"#,
            day + 1
        )
    };
    let operations: Vec<String> = days.map(operation).collect();
    let body = format!(
        r#"{{"project_id":211,"payment":{{"id":"{id}","status":"success"}},"operations":[{}]}}"#,
        operations.join(",")
    );
    let report = Report::read(&parse(body.as_bytes(), Limits::ANSWER).unwrap());
    let fact = Fact::StatusAnswer {
        report: SignedReport {
            report: &report,
            canonical: "d",
        },
        poll: 1,
    };
    decide(payment, fact, Timestamp::now()).unwrap()
}

fn day(date: &str) -> Day {
    Day::of(Timestamp::of_platform(&format!("{date}T12:00:00+0000")).unwrap())
}

#[tokio::test]
async fn a_payment_is_listed_on_each_of_its_days() {
    let world = World::new().await;
    world.create("order").await;
    let first = Day::of(world.load("order").await.payment.created_at());
    assert_eq!(world.of_day(first).await, ["211/order"]);

    // A change without events also writes its new days. Each day is written only once.
    let stored = world.load("order").await;
    let change = ended_on(Some(&stored.payment), "order", 0..2);
    assert!(change.events.is_empty());
    world.wire.forget();
    let over = Some(&stored);
    world.store().commit(commit(&change, over)).await.unwrap();
    assert_eq!(world.wire.calls(), ["TransactWriteItems"]);
    for date in ["2026-01-01", "2026-01-02"] {
        assert_eq!(world.of_day(day(date)).await, ["211/order"], "{date}");
    }
    for date in ["2025-12-31", "2026-01-03"] {
        assert!(world.of_day(day(date)).await.is_empty(), "{date}");
    }
    let stored = world.load("order").await;
    let change = without_events(&stored);
    world.wire.forget();
    let over = Some(&stored);
    world.store().commit(commit(&change, over)).await.unwrap();
    assert_eq!(world.wire.calls(), ["UpdateItem"]);

    // A conflict writes no day.
    let late = ended_on(Some(&stored.payment), "order", 7..8);
    let lost = world.store().commit(commit(&late, over)).await;
    assert!(matches!(lost, Err(CommitError::Conflict)), "{lost:?}");
    assert!(world.of_day(day("2026-01-08")).await.is_empty());
}

#[tokio::test]
async fn all_payments_of_a_day_are_listed_even_if_ids_have_special_characters() {
    let world = World::new().await;
    let mut expected: Vec<String> = (0..900).map(|number| format!("order-{number}")).collect();
    expected.extend(["a/b #1", "day#2026-01-01", "\u{e9}\u{20ac}", "UPPER"].map(String::from));
    for id in &expected {
        let change = ended_on(None, id, 0..1);
        world.store().commit(commit(&change, None)).await.unwrap();
    }
    let mut expected: Vec<String> = expected.iter().map(|id| key(id).to_string()).collect();
    expected.sort_unstable();
    assert_eq!(world.of_day(day("2026-01-01")).await, expected);
}

#[tokio::test]
async fn a_change_with_more_than_80_days_stores_the_newest_80() {
    let world = World::new().await;
    world.create("order").await;
    let stored = world.load("order").await;
    let change = ended_on(Some(&stored.payment), "order", 0..90);
    let over = Some(&stored);
    world.store().commit(commit(&change, over)).await.unwrap();
    let mut listed = 0;
    for number in 0..90 {
        let start = day("2026-01-01").start();
        let day = Day::of(start.after(Duration::from_secs(number * 24 * 3_600)));
        let is_listed = !world.of_day(day).await.is_empty();
        assert_eq!(is_listed, number >= 10, "{day}");
        listed += u64::from(is_listed);
    }
    assert_eq!(listed, 80);
}
