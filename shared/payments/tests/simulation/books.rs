//! At the end of all days: their reports against the platform's books, and who has paid an order
//! twice.

use std::collections::{BTreeMap, BTreeSet};

use ecommpay::fields::ProjectId;
use payments::events::EventKind;
use payments::model::day::Day;
use payments::model::{Payment, Status};
use payments::ports::{Clock, Daily};
use serde_json::{Value, json};

use crate::memory::order_of;
use crate::system::{System, complete};

const DAY: i64 = 24 * 3_600_000;

/// How many, and their sum, by type and status.
type Sums = BTreeMap<(String, String), (u64, u64)>;

/// Reports every day, and checks what is reported. Gives how many payments were of orders that had
/// been paid before.
pub fn close(system: &System) -> u64 {
    let ours = report(system);
    let theirs = books(system);
    let memory = &system.payments.store.memory;
    let rows = memory.rows.lock().unwrap();
    let mut operations = ours.clone();
    // An attempt that the platform has dropped stays as it was last heard of.
    operations.retain(|(of, status), _| of != "payment" && status != "pending");
    let accounts = system.platform.accounts();
    assert_eq!(
        operations, theirs,
        "the report and the platform's records {accounts:#?} {rows:#?}"
    );
    let payments = ours.iter().filter(|((of, _), _)| of == "payment");
    let payments: u64 = payments.map(|(_, (count, _))| count).sum();
    assert_eq!(payments, rows.len() as u64, "each payment is reported once");
    drop(rows);
    check_orders(system)
}

fn report(system: &System) -> Sums {
    system.world.pass(DAY);
    let project_id = ProjectId::new(211).unwrap();
    let memory = &system.payments.store.memory;
    let first = {
        let rows = memory.rows.lock().unwrap();
        let begun = rows.values().map(|row| row.payment.created_at()).min();
        Day::of(begun.unwrap_or(system.world.now()))
    };
    let mut progress = memory.progress.lock().unwrap();
    progress.insert((project_id, Daily::Report), first.start());
    drop(progress);
    let mut sums = Sums::new();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(3_600);
    let told = |_, totals: &payments::service::report::Totals| {
        for row in totals.rows() {
            let status = json!(row.status).as_str().unwrap().to_owned();
            let sum = sums.entry((row.of.to_owned(), status)).or_default();
            *sum = (sum.0 + row.count, sum.1 + row.amount);
        }
    };
    let reported = complete(system.payments.report_due_days(project_id, deadline, told));
    assert_eq!((reported.failure, reported.in_time), (None, true));
    sums
}

/// What the platform has made. Of an attempt to pay that came to nothing nobody may have told, and
/// once the payment has ended nobody asks.
fn books(system: &System) -> Sums {
    let rows = system.payments.store.memory.rows.lock().unwrap();
    let known: BTreeSet<(String, String)> = rows
        .values()
        .flat_map(|row| {
            let payment_id = row.payment.payment_id().to_ascii_lowercase();
            let operations = row.payment.operations();
            let ended = operations.filter(|(_, operation)| operation.outcome().is_final());
            ended.map(move |(id, _)| (payment_id.clone(), id.to_owned()))
        })
        .collect();
    let mut sums = Sums::new();
    for (payment_id, account) in system.platform.accounts() {
        for operation in account.operations.iter().filter(|one| !one.is_open()) {
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

/// Of the payments that have an order's money each but the first was told.
fn check_orders(system: &System) -> u64 {
    let memory = &system.payments.store.memory;
    let rows = memory.rows.lock().unwrap();
    let events = memory.events.lock().unwrap();
    let mut orders = BTreeMap::<String, Vec<&Payment>>::new();
    let mut told = 0;
    for payment in rows.values().map(|row| &row.payment) {
        let order_id = payment.paid_order().map(order_of);
        if payment.status() != Status::Refunded
            && let Some(order_id) = order_id
        {
            orders.entry(order_id).or_default().push(payment);
        }
        let mut of_it = events
            .values()
            .filter(|event| event.key == payment.key() && event.kind == EventKind::OrderPaidTwice);
        let last = of_it.next_back().map(|event| {
            let body: Value = serde_json::from_str(&event.body).unwrap();
            body["data"]["other_payment_ids"].clone()
        });
        let expected = Some(payment.earlier_payments_of_order())
            .filter(|ids| !ids.is_empty())
            .map(|ids| json!(ids));
        assert_eq!(last, expected, "{}", payment.key());
        told += u64::from(last.is_some());
    }
    for mut paid in orders.into_values() {
        paid.sort_by_key(|payment| (payment.created_at(), payment.key()));
        for (index, payment) in paid.iter().enumerate() {
            let before = &paid[..index];
            let is_told = |other: &&&Payment| {
                payment
                    .earlier_payments_of_order()
                    .contains(other.payment_id())
            };
            assert_eq!(
                before.iter().filter(is_told).count(),
                index,
                "{}",
                payment.key()
            );
        }
    }
    told
}
