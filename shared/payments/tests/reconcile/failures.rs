//! Tests a Data API that fails, hangs, repeats a page, or sends too much.

use std::time::Duration;

use payments::ports::{Part, Run};
use payments::service::daily_run::{DailyRuns, PartError, Worked};
use tokio::time::Instant;

use crate::builders::project;
use crate::fakes::records::PlatformRecords;
use crate::system::*;

#[tokio::test]
async fn a_failed_request_is_repeated_twice_before_its_part_fails() {
    let system = System::empty();
    system.report("first", "1", on("21T12:00:00"), 1000).await;
    system.platform.state().failures = 2;
    let hour = span("21T12:00:00", "21T13:00:00");
    let compared = system.reconcile(hour).await;
    assert_eq!(compared.differences.missing_at_platform, 1);

    system.platform.state().failures = 3;
    let run = system.payments.run_on_demand(project(), hour);
    let error = system.do_run(&run).await.unwrap_err();
    let failure = "the platform gave no usable answer: HTTP status 429";
    assert_eq!(error.to_string(), failure);
    // The state of the run names the failed part.
    let state = system.payments.run_state(&run).await.unwrap();
    let failure = format!("211 from 2026-11-21T11:50:00Z: {failure}");
    assert_eq!((state.has_ended, state.failure), (false, Some(failure)));
    // A repeat of the run does only the part that failed, and the parts that follow from this part.
    system.platform.take_starts();
    system.do_run(&run).await.unwrap();
    assert_eq!(system.platform.take_starts(), [on("21T11:50:00")]);
    system.payments.close(&run).await.unwrap();
    let state = system.payments.run_state(&run).await.unwrap();
    assert_eq!((state.has_ended, state.failure), (true, None));
}

/// Lists the operations of an hour until a deadline. The Data API hangs, and meanwhile the clock moves by `hangs_for`.
async fn list_hanging(system: &System, hangs_for: Duration) -> Result<Worked, PartError> {
    system.platform.state().hangs = true;
    let run = system
        .payments
        .run_on_demand(project(), span("21T12:00:00", "21T13:00:00"));
    let deadline = Instant::now() + Duration::from_millis(200);
    let runs = DailyRuns {
        payments: &system.payments,
        data_api: Some(&system.platform),
        pace: Duration::ZERO,
    };
    let part = list("21T12:00:00", "21T13:00:00");
    let worked = runs.work(&run, &part, "m", deadline);
    let pass = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        system.clock().pass(hangs_for);
    };
    tokio::join!(worked, pass).0
}

#[tokio::test]
async fn a_list_that_the_deadline_interrupts_is_split_and_fails_only_after_a_minute_or_an_error() {
    let system = System::empty();
    let short = list_hanging(&system, Duration::from_secs(60))
        .await
        .unwrap();
    let halves = [
        list("21T12:00:00", "21T12:30:00"),
        list("21T12:30:00", "21T13:00:00"),
    ];
    assert_eq!((&short.next[..], short.ended), (&halves[..], None));
    let long = list_hanging(&system, Duration::from_secs(61)).await;
    let failure = "the platform gave no usable answer: no answer in 61 s";
    assert_eq!(long.unwrap_err().to_string(), failure);

    system.platform.state().failures = 1;
    let after_error = list_hanging(&system, Duration::ZERO).await.unwrap_err();
    assert!(after_error.to_string().ends_with("HTTP status 429"));
}

#[tokio::test]
async fn a_full_page_that_is_repeated_is_an_error() {
    let system = System::empty();
    for number in 0..1_000 {
        let operation = declined("same", &number.to_string());
        system.platform.add(on("21T12:00:00"), operation);
    }
    system.platform.state().repeats_first_page = true;
    let hour = span("21T12:00:00", "21T12:01:00");
    let run = system.payments.run_on_demand(project(), hour);
    let error = system.do_run(&run).await.unwrap_err();
    assert!(error.to_string().contains("on each page"), "{error}");
}

#[tokio::test]
async fn only_the_minute_of_an_answer_that_is_too_large_is_skipped() {
    let system = System::empty();
    system.platform.state().too_large_at = Some(on("21T12:07:00"));
    for (id, ended) in [("near", "21T12:16:00"), ("far", "21T12:19:00")] {
        system.report(id, id, on(ended), 1000).await;
    }
    system.list("unknown", "3", on("21T12:09:00"), 1000);
    let compared = system.reconcile(span("21T12:00:00", "21T13:00:00")).await;
    assert_eq!(compared.unreadable, 1);
    // The platform can list the operation of 12:16 up to ten minutes earlier, so possibly in the skipped minute.
    let expected = [
        ("far", "missing_at_platform"),
        ("unknown", "missing_locally"),
    ];
    assert_eq!(system.differences(), differences(&expected));
}

#[tokio::test]
async fn without_a_token_a_comparison_fails_and_a_report_does_not() {
    let system = System::empty();
    let runs = DailyRuns {
        payments: &system.payments,
        data_api: None::<&PlatformRecords>,
        pace: Duration::ZERO,
    };
    let part = list("21T12:00:00", "21T13:00:00");
    let run: Run = system
        .payments
        .run_on_demand(project(), span("21T12:00:00", "21T13:00:00"));
    let worked = runs.work(&run, &part, "m", in_five_minutes()).await;
    let error = worked.unwrap_err();
    assert!(matches!(error, PartError::NoToken), "{error}");
    assert_eq!(system.report_due().await.unwrap().len(), 1);
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
    let done = system.reconcile_due().await.unwrap();
    assert_eq!((done.len(), done[0].0.to), (1, on("22T00:00:00")));
    assert_eq!(
        system.differences(),
        differences(&[
            ("ours", "missing_at_platform"),
            ("theirs", "missing_locally")
        ])
    );
}

fn list(from: &str, to: &str) -> Part {
    Part::List {
        from: on(from),
        to: on(to),
    }
}
