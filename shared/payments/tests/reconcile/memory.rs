//! Tests that a day with 200,000 operations is compared by ten parts at the same time, in little memory. With `LONG=1`,
//! the day has 10,000,000 operations.
//!
//! Both sides of the comparison are computed on demand, so the process holds only the data that the comparison needs.
//! Each measured run has a separate process, which prints its peak memory.

use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use payments::decide::decide;
use payments::model::Payment;
use payments::ports::{DataApi, NoAnswer, SHARDS};
use payments::service::reconcile::Differences;
use payments::{PaymentKey, Timestamp};
use tokio::time::Instant;

use crate::builders::*;
use crate::fakes::behaviour::Behaviour;
use crate::fakes::clock::TestClock;
use crate::fakes::daily_runs::do_side_by_side;
use crate::fakes::records::listed_sale;
use crate::fakes::system::TestSystem;
use crate::system::*;

/// The environment variable that is set only in a measured process. Its value is the number of parts at the same time.
const MEASURED: &str = "RECONCILE_MEASURED";
static OPERATIONS: LazyLock<u64> = LazyLock::new(|| match std::env::var_os("LONG") {
    Some(_) => 10_000_000,
    None => 200_000,
});
/// The peak memory of a process that does one part at a time must be lower. The digests in the in-memory store do not
/// count.
const MAX_KIB: u64 = 96 * 1024;
const PAGE_OF_DAY: usize = 100;
/// Of this many operations, one is missing in our records, one is missing at the platform, and one has another amount.
const PERIOD: u64 = 10_000;

/// The sales of one day, numbered from 0 and spread evenly over the day. Each sale has a separate payment.
#[derive(Clone, Copy)]
struct ComputedDay;

fn time_of(number: u64) -> Timestamp {
    let seconds = number * 86_400 / *OPERATIONS;
    on("21T00:00:00").after(Duration::from_secs(seconds))
}

/// Returns the number of the first sale at or after a time.
fn first_from(time: Timestamp) -> u64 {
    let seconds = time.since(on("21T00:00:00")).as_secs();
    (seconds * *OPERATIONS).div_ceil(86_400).min(*OPERATIONS)
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
        if number >= *OPERATIONS || number % PERIOD == 1 {
            return None;
        }
        let ended = time_of(number);
        let report = sale_report(&id_of(number), &number.to_string(), ended, 1000);
        Some(decide(None, report.callback(), ended).unwrap().payment)
    }

    fn shard(&self, key: &PaymentKey) -> Option<u8> {
        u8::try_from(number_of(key) % u64::from(SHARDS)).ok()
    }

    fn page_of_day(&self, shard: u8, after: Option<&PaymentKey>) -> Option<Vec<PaymentKey>> {
        let shards = usize::from(SHARDS);
        let first = after.map_or(u64::from(shard), |after| number_of(after) + shards as u64);
        let numbers = (first..*OPERATIONS).step_by(shards).take(PAGE_OF_DAY);
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

/// Compares the day in a separate process. Returns the peak memory of this process in KiB, without the digests in the
/// in-memory store.
fn measure(at_the_same_time: usize) -> u64 {
    let this = "memory::a_day_with_200_000_operations_is_compared_by_ten_parts_side_by_side";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([this, "--exact", "--nocapture"])
        .env(MEASURED, at_the_same_time.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let number = |name: &str| -> u64 {
        let number = text.lines().find_map(|line| line.split(name).nth(1));
        number.unwrap().trim().parse().unwrap()
    };
    let (peak, stored, seconds) = (
        number("peak KiB: "),
        number("stored KiB: "),
        number("seconds: "),
    );
    println!(
        "{} operations, {at_the_same_time} parts at the same time: {peak} KiB, of which {stored} are the store, in \
         {seconds} s",
        *OPERATIONS
    );
    peak - stored
}

#[tokio::test]
async fn a_day_with_200_000_operations_is_compared_by_ten_parts_side_by_side() {
    if let Ok(at_the_same_time) = std::env::var(MEASURED) {
        return compare_a_day(at_the_same_time.parse().unwrap()).await;
    }
    if peak_kib().is_none() {
        println!("not on Linux: the memory is not measured");
        return compare_a_day(10).await;
    }
    let (one, ten) = (measure(1), measure(10));
    assert!(one < MAX_KIB, "{one} KiB");
    assert!(ten < 10 * one, "{ten} KiB");
}

async fn compare_a_day(at_the_same_time: usize) {
    let clock = TestClock::new(0);
    clock.set(on("22T12:00:00"));
    let system = TestSystem::new(ComputedDay, clock, &[|_| true], ComputedDay);
    let day = span("21T00:00:00", "22T00:00:00");
    let periods = *OPERATIONS / PERIOD;
    let start = Instant::now();
    let run = system.payments.run_on_demand(project(), day);
    let (payments, records) = (&system.payments, Some(&system.platform));
    let deadline = start + Duration::from_secs(24 * 3_600);
    let compared = do_side_by_side(payments, records, &run, deadline, at_the_same_time).await;
    let compared = compared.unwrap();
    let expected = Differences {
        missing_locally: periods,
        missing_at_platform: periods,
        status: 0,
        amount: periods,
    };
    assert_eq!(compared.differences, expected, "{compared:?}");
    assert_eq!(compared.compared, *OPERATIONS - periods);
    let tables = system.tables();
    let stored = tables
        .runs
        .iter()
        .map(|((_, _, key), content)| key.len() + content.len());
    println!("\nstored KiB: {}", stored.sum::<usize>() / 1024);
    println!("seconds: {}", start.elapsed().as_secs());
    println!("peak KiB: {}", peak_kib().unwrap_or_default());
}
