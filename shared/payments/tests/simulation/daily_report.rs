//! Checks at the end of a run that the daily reports agree with the platform's accounts, and that an event was emitted
//! for each order that was paid twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use payments::events::EventKind;
use payments::model::day::Day;
use payments::model::{Payment, Status};
use payments::ports::{Clock, Daily};
use serde_json::{Value, json};

use crate::builders::project;
use crate::fakes::store::order_key;
use crate::jobs::complete;
use crate::system::System;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The number of operations and their sum, by type and status.
type Sums = BTreeMap<(String, String), (u64, u64)>;

/// Runs the daily report of every day and checks the totals. Returns the number of payments whose order another payment
/// had already paid.
pub fn check(system: &System) -> u64 {
    let mut reported = report(system);
    let payments = reported.iter().filter(|((of, _), _)| of == "payment");
    let payments: u64 = payments.map(|(_, (count, _))| count).sum();
    let stored = system.tables().payments.len() as u64;
    assert_eq!(payments, stored, "each payment must be reported once");
    // Pending operations are not compared, because a sale whose request failed is no longer in the accounts.
    reported.retain(|(of, status), _| of != "payment" && status != "pending");
    assert_eq!(
        reported,
        recorded(system),
        "the report differs from the accounts {:#?} {:#?}",
        system.platform.accounts(),
        system.tables().payments
    );
    check_paid_twice(system)
}

fn report(system: &System) -> Sums {
    system.clock().pass(DAY);
    let first = {
        let tables = system.tables();
        let payments = tables.payments.values().map(|stored| &stored.payment);
        let created = payments.map(|payment| payment.created_at()).min();
        Day::of(created.unwrap_or(system.clock().now()))
    };
    let progress = (project(), Daily::Report);
    system.tables().progress.insert(progress, first.start());
    let mut sums = Sums::new();
    for (_, counts) in complete(system.report_due()).unwrap() {
        for row in counts.totals.rows() {
            let status = json!(row.status).as_str().unwrap().to_owned();
            let sum = sums.entry((row.of.to_owned(), status)).or_default();
            *sum = (sum.0 + row.count, sum.1 + row.amount.unwrap_or_default());
        }
    }
    sums
}

/// Returns the operations that ended at the platform. Declined sales that this service does not know are left out:
/// their callbacks can be lost, and a payment that has ended is not polled.
fn recorded(system: &System) -> Sums {
    let tables = system.tables();
    let mut known = BTreeSet::new();
    for payment in tables.payments.values().map(|stored| &stored.payment) {
        let payment_id = payment.payment_id().to_ascii_lowercase();
        let ended = payment
            .operations()
            .filter(|(_, operation)| operation.outcome().is_final());
        known.extend(ended.map(|(id, _)| (payment_id.clone(), id.to_owned())));
    }
    let mut sums = Sums::new();
    for (payment_id, account) in system.platform.accounts() {
        for operation in account
            .operations
            .iter()
            .filter(|operation| !operation.is_open())
        {
            let status = match operation.status {
                "success" => "succeeded",
                "decline" => "declined",
                other => other,
            };
            let id = (payment_id.clone(), operation.id.to_string());
            if operation.kind == "sale" && status == "declined" && !known.contains(&id) {
                continue;
            }
            let sum = sums.entry((operation.kind.into(), status.into()));
            let sum = sum.or_default();
            *sum = (sum.0 + 1, sum.1 + operation.amount);
        }
    }
    sums
}

/// Checks the payments of the same order that were paid and not fully refunded. Of two such payments, the
/// `order.paid_twice` of exactly one must name the other. Returns the number of payments with an `order.paid_twice`.
fn check_paid_twice(system: &System) -> u64 {
    let tables = system.tables();
    let mut orders = BTreeMap::<String, Vec<&Payment>>::new();
    let mut paid_twice = 0;
    for payment in tables.payments.values().map(|stored| &stored.payment) {
        let order = payment.paid_order().map(order_key);
        let has_money = payment.status() != Status::Refunded;
        if let Some(order) = order.filter(|_| has_money) {
            orders.entry(order).or_default().push(payment);
        }
        let mut emitted = tables
            .events
            .values()
            .filter(|event| event.key == payment.key() && event.kind == EventKind::OrderPaidTwice);
        let emitted = emitted.next_back().map(|event| {
            let body: Value = serde_json::from_str(&event.body).unwrap();
            body["data"]["other_payment_ids"].clone()
        });
        let earlier = payment.earlier_payments_of_order();
        let expected = (!earlier.is_empty()).then(|| json!(earlier));
        assert_eq!(emitted, expected, "{}", payment.key());
        paid_twice += u64::from(emitted.is_some());
    }
    for paid in orders.into_values() {
        let names = |one: &Payment, other: &Payment| {
            let earlier = one.earlier_payments_of_order();
            earlier.contains(other.payment_id())
        };
        for (index, one) in paid.iter().enumerate() {
            for other in &paid[..index] {
                let is_named_once = names(one, other) != names(other, one);
                assert!(is_named_once, "{} {}", one.key(), other.key());
            }
        }
    }
    paid_twice
}
