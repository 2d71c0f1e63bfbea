//! Tests a Data API that fails, hangs, or repeats a page.

use std::time::Duration;

use payments::service::reconcile::Reconciled;
use tokio::time::Instant;

use crate::builders::project;
use crate::system::*;

#[tokio::test]
async fn a_failed_request_is_repeated_twice_before_its_hour_fails() {
    let system = System::empty();
    system.report("first", "1", on("21T12:00:00"), 1000).await;
    system.platform.state().failures = 2;
    let hour = span("21T12:00:00", "21T13:00:00");
    let compared = system.reconcile(hour).await;
    assert_eq!(compared.failed, 0);
    assert_eq!(compared.differences.missing_at_platform, 1);

    // One hour fails, and the other hours are compared.
    system.platform.state().failures = 3;
    system.report("later", "2", on("21T14:00:00"), 1000).await;
    let compared = system.reconcile(span("21T12:00:00", "21T15:00:00")).await;
    assert_eq!((compared.failed, compared.until), (1, hour.from));
    assert_eq!(compared.differences.missing_at_platform, 1);
    let failure = compared.failure.unwrap();
    assert_eq!(
        failure,
        "211 from 2026-11-21T12:00:00Z: the platform gave no usable answer: HTTP status 429"
    );
}

#[tokio::test]
async fn a_run_stops_after_three_failed_hours() {
    let system = System::empty();
    system.platform.state().failures = 1_000;
    let compared = system.reconcile(span("21T00:00:00", "22T00:00:00")).await;
    assert_eq!((compared.failed, compared.compared), (3, 0));
    assert_eq!(system.platform.take_offsets().len(), 9);
}

/// Compares until the deadline. The Data API hangs, and meanwhile the clock moves by `hangs_for`.
async fn reconcile_hanging(system: &System, hangs_for: Duration) -> Reconciled {
    system.platform.state().hangs = true;
    let hour = span("21T12:00:00", "21T13:00:00");
    let deadline = Instant::now() + Duration::from_millis(200);
    let (payments, records) = (&system.payments, &system.platform);
    let compared = payments.reconcile(records, project(), hour, deadline);
    let pass = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        system.clock().pass(hangs_for);
    };
    let (compared, ()) = tokio::join!(compared, pass);
    assert_eq!((compared.in_time, compared.until), (false, hour.from));
    compared
}

#[tokio::test]
async fn a_request_that_the_deadline_interrupts_fails_only_after_more_than_a_minute_or_an_error() {
    let system = System::empty();
    let short = reconcile_hanging(&system, Duration::from_secs(60)).await;
    assert_eq!((short.failed, short.failure), (0, None));
    let long = reconcile_hanging(&system, Duration::from_secs(61)).await;
    let failure =
        "211 from 2026-11-21T12:00:00Z: the platform gave no usable answer: no answer in 61 s";
    assert_eq!((long.failed, long.failure.as_deref()), (1, Some(failure)));

    system.platform.state().failures = 1;
    let after_error = reconcile_hanging(&system, Duration::ZERO).await;
    assert_eq!(after_error.failed, 1);
    assert!(after_error.failure.unwrap().ends_with("HTTP status 429"));
}

#[tokio::test]
async fn a_full_page_that_is_repeated_is_an_error() {
    let system = System::empty();
    for number in 0..1_000 {
        let operation = declined("same", &number.to_string());
        system.platform.add(on("21T12:00:00"), operation);
    }
    system.platform.state().repeats_first_page = true;
    let compared = system.reconcile(span("21T12:00:00", "21T13:00:00")).await;
    assert_eq!(compared.failed, 1);
    assert!(compared.failure.unwrap().contains("on each page"));
}

#[tokio::test]
async fn a_run_after_its_deadline_compares_nothing() {
    let system = System::empty();
    system
        .report("unlisted", "1", on("21T12:00:00"), 1000)
        .await;
    let day = span("21T00:00:00", "22T00:00:00");
    let (payments, records) = (&system.payments, &system.platform);
    let compared = payments
        .reconcile(records, project(), day, Instant::now())
        .await;
    assert_eq!((compared.in_time, compared.until), (false, day.from));
    assert!(system.differences().is_empty());
    assert!(system.platform.take_offsets().is_empty());
}

#[tokio::test]
async fn a_payment_that_cannot_be_read_does_not_stop_the_comparison_of_other_payments() {
    let system = System::empty();
    system
        .report_and_list("damaged", "1", on("21T12:00:00"))
        .await;
    system.report("ours", "2", on("21T12:10:00"), 1000).await;
    system.list("theirs", "3", on("21T12:20:00"), 1000);
    system.behaviour().damage("211/damaged");
    system.behaviour().damage("progress");
    let (payments, records) = (&system.payments, &system.platform);
    let run = payments.reconcile_due(records, project(), in_five_minutes());
    let compared = run.await;
    assert_eq!((compared.failed, compared.until), (0, on("22T09:00:00")));
    assert_eq!(
        system.differences(),
        differences(&[
            ("ours", "missing_at_platform"),
            ("theirs", "missing_locally")
        ])
    );
}
