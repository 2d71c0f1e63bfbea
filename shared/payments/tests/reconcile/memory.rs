//! Tests that a day with 100,000 operations is compared in less than 256 MiB of memory.
//!
//! Both sides of the comparison are computed on demand, so the process holds only the data that the comparison needs.
//! The measured run has a separate process, which prints its peak memory.

use std::process::Command;
use std::time::Duration;

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use payments::decide::decide;
use payments::model::Payment;
use payments::ports::{DataApi, NoAnswer, SHARDS};
use payments::service::reconcile::Differences;
use payments::{PaymentKey, Timestamp};

use crate::builders::*;
use crate::fakes::behaviour::Behaviour;
use crate::fakes::clock::TestClock;
use crate::fakes::records::listed_sale;
use crate::fakes::system::TestSystem;
use crate::system::*;

/// The environment variable that is set only in the measured process.
const MEASURED: &str = "RECONCILE_MEASURED";
const OPERATIONS: u64 = 100_000;
/// The peak memory of the measured process must be lower.
const MAX_KIB: u64 = 256 * 1024;
/// The number of payments in a page of the index.
const PAGE_OF_DAY: usize = 100;
/// In each series of this many operations, one operation is missing in our records, one is missing at the platform, and
/// one has another amount.
const PERIOD: u64 = 1_000;

/// The sales of one day, numbered from 0 and spread over the day. Each sale has a separate payment.
#[derive(Clone, Copy)]
struct ComputedDay;

fn time_of(number: u64) -> Timestamp {
    let seconds = number * 86_400 / OPERATIONS;
    on("21T00:00:00").after(Duration::from_secs(seconds))
}

/// Returns the number of the first sale at or after a time.
fn first_from(time: Timestamp) -> u64 {
    let seconds = time.since(on("21T00:00:00")).as_secs();
    (seconds * OPERATIONS).div_ceil(86_400).min(OPERATIONS)
}

fn id_of(number: u64) -> String {
    format!("order-{number:09}")
}

fn number_of(key: &PaymentKey) -> u64 {
    let key = key.to_string();
    key.trim_start_matches("211/order-").parse().unwrap()
}

impl Behaviour for ComputedDay {
    fn payment(&self, key: &PaymentKey) -> Option<Payment> {
        let number = number_of(key);
        if number >= OPERATIONS || number % PERIOD == 1 {
            return None;
        }
        let ended = time_of(number);
        let report = sale_report(&id_of(number), &number.to_string(), ended, 1000);
        Some(decide(None, report.callback(), ended).unwrap().payment)
    }

    fn page_of_day(&self, shard: u8, after: Option<&PaymentKey>) -> Option<Vec<PaymentKey>> {
        let shards = usize::from(SHARDS);
        let first = after.map_or(u64::from(shard), |after| number_of(after) + shards as u64);
        let numbers = (first..OPERATIONS).step_by(shards).take(PAGE_OF_DAY);
        Some(numbers.map(|number| key(&id_of(number))).collect())
    }
}

impl DataApi for ComputedDay {
    async fn operations(
        &self,
        _: ProjectId,
        from: Timestamp,
        to: Timestamp,
        offset: u32,
    ) -> Result<Vec<ListedOperation>, NoAnswer> {
        let numbers = first_from(from)..first_from(to);
        let listed = numbers.filter(|number| number % PERIOD != 2);
        let page = listed.skip(offset as usize).take(PAGE as usize);
        let amount = |number: u64| if number % PERIOD == 3 { 900 } else { 1000 };
        Ok(page
            .map(|number| listed_sale(&id_of(number), &number.to_string(), amount(number)))
            .collect())
    }
}

/// Returns the peak memory of this process in KiB, or `None` if the system is not Linux.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_day_with_100_000_operations_is_compared_in_less_than_256_mib() {
    if std::env::var_os(MEASURED).is_some() {
        return compare_a_day().await;
    }
    if peak_kib().is_none() {
        println!("not on Linux: the memory is not measured");
        return compare_a_day().await;
    }
    let this = "memory::a_day_with_100_000_operations_is_compared_in_less_than_256_mib";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([this, "--exact", "--nocapture"])
        .env(MEASURED, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let mut lines = text.lines();
    let peak = lines.find_map(|line| line.split("peak KiB: ").nth(1));
    let peak: u64 = peak.unwrap().trim().parse().unwrap();
    println!("{OPERATIONS} operations in {peak} KiB");
    assert!(peak < MAX_KIB, "{peak} KiB");
}

async fn compare_a_day() {
    let clock = TestClock::new(0);
    clock.set(on("22T12:00:00"));
    let system = TestSystem::new(ComputedDay, clock, &[|_| true], ComputedDay);
    let day = span("21T00:00:00", "22T00:00:00");
    let periods = OPERATIONS / PERIOD;
    let first = Differences {
        missing_locally: periods,
        missing_at_platform: periods,
        status: 0,
        amount: periods,
    };
    for expected in [first, NONE] {
        let (payments, records) = (&system.payments, &system.platform);
        let compared = payments.reconcile(records, project(), day, in_five_minutes());
        let compared = compared.await;
        assert_eq!(compared.differences, expected, "{compared:?}");
        assert_eq!(compared.compared, OPERATIONS - periods);
        assert_eq!((compared.failed, compared.in_time), (0, true));
    }
    println!("\npeak KiB: {}", peak_kib().unwrap_or_default());
}
