//! Tests the parts of a run. Parts can be done at the same time and several times. A part that is too large is split. A
//! part keeps a pause between its requests to the Data API.

use std::collections::BTreeMap;
use std::time::Duration;

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use futures_util::future::join_all;
use payments::ports::{Daily, DataApi, NoAnswer, Part, Run};
use payments::service::daily_run::{Counts, DailyRuns, Worked};
use payments::{PaymentKey, Timestamp};
use tokio::time::Instant;

use crate::builders::project;
use crate::fakes::behaviour::FailNext;
use crate::fakes::clock::TestClock;
use crate::fakes::daily_runs::do_run;
use crate::fakes::queue::MemoryQueue;
use crate::fakes::records::PlatformRecords;
use crate::fakes::store::MemoryStore;
use crate::system::*;

type Runs<'a> =
    DailyRuns<'a, MemoryStore<FailNext>, MemoryQueue<FailNext>, TestClock, PlatformRecords>;

fn runs(system: &System) -> Runs<'_> {
    DailyRuns {
        payments: &system.payments,
        data_api: Some(&system.platform),
        pace: Duration::ZERO,
    }
}

/// Does all parts at the same time, each of them in two messages. Returns the parts that follow, and how often the run
/// ended.
async fn side_by_side(system: &System, run: &Run, parts: Vec<Part>) -> (Vec<Part>, usize) {
    let runs = &runs(system);
    let twice = parts.iter().chain(&parts).enumerate();
    let works = twice.map(|(number, part)| async move {
        let id = format!("{number} {part:?}");
        runs.work(run, part, &id, in_five_minutes()).await
    });
    let (mut next, mut ended) = (Vec::new(), 0);
    for worked in join_all(works).await {
        let worked = worked.unwrap();
        next.extend(worked.next);
        ended += usize::from(worked.ended.is_some());
    }
    (next, ended)
}

#[tokio::test]
async fn parts_that_are_done_side_by_side_and_twice_find_each_difference_once() {
    let system = System::empty();
    // Operations at the boundaries of hours and days. Each operation is in our records, in the platform records, or in
    // both.
    for time in ["20T23:59:59", "21T00:00:00", "21T12:59:59", "21T13:00:00"] {
        let ended = on(time);
        system
            .report_and_list(&format!("same {time}"), time, ended)
            .await;
        system
            .report(&format!("ours {time}"), time, ended, 1000)
            .await;
        system.list(&format!("theirs {time}"), time, ended, 1000);
    }
    let run = system.payments.due_run(project(), Daily::Compare);
    let run = run.await.unwrap().unwrap();
    let first = run.first_parts();
    assert_eq!(first.len(), 26);
    let (rest, ended) = side_by_side(&system, &run, first).await;
    assert_eq!((rest.len(), ended), (1, 0));
    let (rest, ended) = side_by_side(&system, &run, rest).await;
    assert_eq!((rest.len(), ended), (0, 1));
    let expected = [
        ("ours 21T00:00:00", "missing_at_platform"),
        ("ours 21T12:59:59", "missing_at_platform"),
        ("ours 21T13:00:00", "missing_at_platform"),
        ("theirs 20T23:59:59", "missing_locally"),
        ("theirs 21T00:00:00", "missing_locally"),
        ("theirs 21T12:59:59", "missing_locally"),
        ("theirs 21T13:00:00", "missing_locally"),
    ];
    assert_eq!(system.differences(), differences(&expected));

    // After the run is closed, a repeated part requests nothing and does not end the run again.
    system.platform.take_offsets();
    assert_eq!(system.payments.next_run(&run).await.unwrap(), None);
    system.payments.close(&run).await.unwrap();
    for part in run.first_parts() {
        let runs = runs(&system);
        let worked = runs.work(&run, &part, "m", in_five_minutes()).await;
        assert_eq!(worked.unwrap(), Worked::default());
    }
    assert!(system.platform.take_offsets().is_empty());
}

#[tokio::test]
async fn a_day_with_any_number_of_payments_is_continued_by_further_parts() {
    let system = System::empty();
    let noon = on("21T12:00:00");
    let mut expected = Vec::new();
    for number in 0..40 {
        let id = "x".repeat(number + 1);
        system.clock().set(noon);
        system.report(&id, &number.to_string(), noon, 1000).await;
        expected.push((id, "missing_at_platform".to_owned()));
    }
    system.clock().set(on("22T12:00:00"));
    let report = system.payments.due_run(project(), Daily::Report);
    let report = report.await.unwrap().unwrap();
    let compare = system.payments.due_run(project(), Daily::Compare);
    let compare = compare.await.unwrap().unwrap();
    // The lists are done in time. Each other part has no time left after its first page, which has two payments.
    for part in compare.first_parts() {
        let runs = runs(&system);
        let worked = runs.work(&compare, &part, "m", in_five_minutes()).await;
        worked.unwrap();
    }
    let mut counted = BTreeMap::<&str, Counts>::new();
    for (name, run) in [("report", &report), ("compare", &compare)] {
        let (payments, records) = (&system.payments, Some(&system.platform));
        let counts = do_run(payments, records, run, Instant::now())
            .await
            .unwrap();
        counted.insert(name, counts);
    }
    assert_eq!(system.differences(), expected);
    assert_eq!(counted["compare"].differences.missing_at_platform, 40);
    let payments = counted["report"].totals.rows();
    let payments = payments.filter(|row| row.of == "payment");
    assert_eq!(payments.map(|row| row.count).sum::<u64>(), 40);
    let results = system.tables().runs.len();
    assert!(results > 40, "{results} results");
}

/// A platform with 100 operations in each second. All operations are pending, so no operation is a discrepancy.
struct Busy;

impl DataApi for Busy {
    async fn operations(
        &self,
        _: ProjectId,
        from: Timestamp,
        to: Timestamp,
        offset: u32,
    ) -> Result<Vec<ListedOperation>, NoAnswer> {
        let count = u32::try_from(to.since(from).as_secs() * 100).unwrap();
        let numbers = (offset..count).take(PAGE as usize);
        let open = |number: u32| ListedOperation {
            status: "processing".into(),
            ..declined(&format!("{from} {number}"), &number.to_string())
        };
        Ok(numbers.map(open).collect())
    }
}

#[tokio::test]
async fn a_slice_with_more_than_200_pages_is_split_and_each_half_is_compared() {
    let system = System::empty();
    let hour = span("21T12:00:00", "21T13:00:00");
    let run = system.payments.run_on_demand(project(), hour);
    let runs = DailyRuns {
        payments: &system.payments,
        data_api: Some(&Busy),
        pace: Duration::ZERO,
    };
    let part = Part::List {
        from: hour.from,
        to: hour.to,
    };
    let worked = runs.work(&run, &part, "m", in_five_minutes()).await;
    let worked = worked.unwrap();
    let half = on("21T12:30:00");
    let halves = [(hour.from, half), (half, hour.to)].map(|(from, to)| Part::List { from, to });
    assert_eq!(worked.next, halves);
    // Half an hour has 180 pages.
    let worked = runs
        .work(&run, &halves[0], "m", in_five_minutes())
        .await
        .unwrap();
    assert!(worked.next.is_empty());
    let state = system.payments.run_state(&run).await.unwrap();
    assert_eq!(state.counts.compared, 180_000);
}

#[tokio::test]
async fn requests_to_the_data_api_are_never_closer_than_the_pace() {
    let system = System::empty();
    let noon = on("21T12:30:00");
    for number in 0..1_000 {
        system
            .platform
            .add(noon, declined(&number.to_string(), "1"));
    }
    let runs = DailyRuns {
        pace: Duration::from_secs(2),
        ..runs(&system)
    };
    let run = system
        .payments
        .run_on_demand(project(), span("21T12:00:00", "21T13:00:00"));
    let before = system.now();
    system.platform.state().failures = 1;
    let part = &run.first_parts()[1];
    let worked = runs.work(&run, part, "m", in_five_minutes()).await;
    worked.unwrap();
    // Four requests: one that fails, its repeat after 10 s, the request that shows whether the part must be split, and
    // the last page.
    assert_eq!(system.platform.take_offsets().len(), 4);
    assert!(system.now().since(before) >= Duration::from_secs(2 + 10 + 2 + 2));
    let key = PaymentKey::new(project(), "7");
    assert!(system.tables().payments.contains_key(&key));
}
