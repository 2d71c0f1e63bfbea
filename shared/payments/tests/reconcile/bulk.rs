//! Many operations in little memory: 100,000 operations of one day.
//!
//! Both sides are made up on the fly, so that what a process holds is what comparing needs. It is
//! measured in a process of its own, which tells its own peak.

use std::process::Command;

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use payments::decide::{Fact, SignedReport, decide};
use payments::events::Event;
use payments::model::day::Day;
use payments::model::schedule::Schedule;
use payments::model::{PaidOrder, Payment};
use payments::ports::{
    Commit, CommitError, Committed, DataApi, Due, Index, NoAnswer, PaymentStore, SHARDS,
    StoreError, Stored,
};
use payments::service::reconcile::Differences;
use payments::{PaymentKey, Payments, Timestamp};

use crate::memory::Memory;
use crate::platform::sale;
use crate::world::*;

/// Set in the process that is measured.
const MEASURED: &str = "RECONCILE_MEASURED";
const OPERATIONS: u64 = 100_000;
const MOST_KIB: u64 = 256 * 1024;
/// How many payments a page of the index has.
const KEYS: u64 = 100;
/// Of every so many operations one is missing here, one missing there, and one differs.
const ROUND: u64 = 1_000;

#[derive(Clone)]
struct Numbers {
    all: u64,
}

impl Numbers {
    fn new() -> Self {
        Self { all: OPERATIONS }
    }

    /// Spread over the day.
    fn time(&self, number: u64) -> Timestamp {
        let second = number * 86_400 / self.all;
        at("21T00:00:00").after(std::time::Duration::from_secs(second))
    }

    /// The first number of a moment, or of what comes next.
    fn first_from(&self, moment: Timestamp) -> u64 {
        let seconds = moment.since(at("21T00:00:00")).as_secs();
        (seconds * self.all).div_ceil(86_400).min(self.all)
    }

    fn payment(&self, number: u64) -> Option<Payment> {
        if number >= self.all || number % ROUND == 1 {
            return None;
        }
        let ended = self.time(number);
        let body = report(&id(number), &number.to_string(), ended, 1000);
        let report = Report::read(&parse(body.as_bytes(), Limits::CALLBACK).unwrap());
        let fact = Fact::Callback(SignedReport {
            report: &report,
            canonical: &body,
        });
        Some(decide(None, fact, ended).unwrap().payment)
    }
}

fn id(number: u64) -> String {
    format!("order-{number:09}")
}

fn number(key: &PaymentKey) -> u64 {
    let key = key.to_string();
    key.trim_start_matches("211/order-").parse().unwrap()
}

impl DataApi for Numbers {
    async fn operations(
        &self,
        _: ProjectId,
        from: Timestamp,
        to: Timestamp,
        offset: u32,
    ) -> Result<Vec<ListedOperation>, NoAnswer> {
        let numbers = self.first_from(from)..self.first_from(to);
        let listed = numbers.filter(|number| number % ROUND != 2);
        let page = listed.skip(offset as usize).take(PAGE as usize);
        let amount = |number: u64| if number % ROUND == 3 { 900 } else { 1000 };
        Ok(page
            .map(|number| sale(&id(number), &number.to_string(), amount(number)))
            .collect())
    }
}

/// What is written is kept, everything else made up when it is asked for.
struct Store {
    numbers: Numbers,
    written: Memory,
}

impl PaymentStore for Store {
    async fn load(&self, key: &PaymentKey) -> Result<Option<Stored>, StoreError> {
        if let Some(stored) = self.written.load(key).await? {
            return Ok(Some(stored));
        }
        let payment = self.numbers.payment(number(key));
        Ok(payment.map(|payment| Stored {
            published: payment.sequence(),
            version: 1,
            is_first_to_pay: false,
            payment,
        }))
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, CommitError> {
        if let Some(over) = commit.over {
            let mut rows = self.written.rows.lock().unwrap();
            let key = commit.change.payment.key();
            rows.entry(key).or_insert_with(|| over.clone());
        }
        self.written.commit(commit).await
    }

    async fn events(&self, key: &PaymentKey, from: u64, to: u64) -> Result<Vec<Event>, StoreError> {
        self.written.events(key, from, to).await
    }

    async fn mark_published(&self, key: &PaymentKey, through: u64) -> Result<u64, StoreError> {
        self.written.mark_published(key, through).await
    }

    async fn due(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
        after: Option<&Due>,
    ) -> Result<Vec<Due>, StoreError> {
        self.written.due(index, shard, due_by, after).await
    }

    async fn payments_of_day(
        &self,
        _: ProjectId,
        day: Day,
        shard: u8,
        after: Option<&PaymentKey>,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let shards = u64::from(SHARDS);
        let first = after.map_or(u64::from(shard), |after| number(after) + shards);
        let numbers = (first..self.numbers.all).step_by(usize::from(SHARDS));
        let page = numbers.take(KEYS as usize);
        assert_eq!(day.to_string(), "2026-11-21");
        Ok(page.map(|number| key(&id(number))).collect())
    }

    async fn payments_of_order(&self, order: PaidOrder<'_>) -> Result<Vec<PaymentKey>, StoreError> {
        self.written.payments_of_order(order).await
    }

    async fn payment_of_token(&self, token: &str) -> Result<Option<PaymentKey>, StoreError> {
        self.written.payment_of_token(token).await
    }
}

/// The highest amount of memory that this process has held, as Linux counts it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_days_operations_are_compared_in_little_memory() {
    if std::env::var_os(MEASURED).is_some() {
        return compare_a_day().await;
    }
    if peak_kib().is_none() {
        println!("not on Linux: the memory is not measured");
        return compare_a_day().await;
    }
    let this = "bulk::a_days_operations_are_compared_in_little_memory";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([this, "--exact", "--nocapture"])
        .env(MEASURED, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let peak = text
        .lines()
        .find_map(|line| line.split("peak KiB: ").nth(1));
    let peak: u64 = peak.unwrap().trim().parse().unwrap();
    println!("{OPERATIONS} operations in {peak} KiB");
    assert!(peak < MOST_KIB, "{peak} KiB");
}

async fn compare_a_day() {
    let numbers = Numbers::new();
    let store = Store {
        numbers: numbers.clone(),
        written: Memory::default(),
    };
    let payments = Payments {
        store,
        queues: vec![Audit::default()],
        clock: Hand(at("22T12:00:00").unix_millis().into()),
        schedule: Schedule::default(),
    };
    let day = span("21T00:00:00", "22T00:00:00");
    let rounds = numbers.all / ROUND;
    for expected in [
        Differences {
            missing_locally: rounds,
            missing_at_platform: rounds,
            status: 0,
            amount: rounds,
        },
        Differences::default(),
    ] {
        let compared = payments.reconcile(&numbers, project(), day, soon()).await;
        assert_eq!(compared.differences, expected, "{compared:?}");
        assert_eq!(compared.compared, numbers.all - rounds);
        assert_eq!((compared.failed, compared.in_time), (0, true));
    }
    println!("\npeak KiB: {}", peak_kib().unwrap_or_default());
}
