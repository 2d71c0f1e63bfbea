//! Tests which operations are compared, and which discrepancies are emitted.

use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use payments::model::Status;
use payments::service::reconcile::Differences;

use crate::builders::project;
use crate::fakes::records::listed_sale;
use crate::system::*;

#[tokio::test]
async fn each_discrepancy_is_emitted_once_even_if_it_is_found_several_times() {
    let system = System::empty();
    let time = on("21T12:30:00");
    system.report_and_list("same", "1", time).await;
    system.report("unlisted", "2", time, 1000).await;
    system.list("unknown", "3", time, 1000);
    system.report("amount", "4", time, 1000).await;
    system.list("amount", "4", time, 900);
    system.report("status", "5", time, 1000).await;
    system.platform.add(time, declined("status", "5"));
    // The callback about a refund of a known payment was lost.
    system.report_and_list("refunded", "6", time).await;
    let refund = ListedOperation {
        kind: "refund".into(),
        ..listed_sale("refunded", "7", 400)
    };
    system.platform.add(time, refund);
    // An operation that has not ended is not a discrepancy.
    let open = ListedOperation {
        status: "processing".into(),
        ..listed_sale("open", "8", 1000)
    };
    system.platform.add(time, open);

    let day = span("21T00:00:00", "22T00:00:00");
    let first = system.reconcile(day).await;
    let counts = Differences {
        missing_locally: 2,
        missing_at_platform: 1,
        status: 1,
        amount: 1,
    };
    assert_eq!(first.differences, counts, "{first:?}");
    assert_eq!(first.compared, 7);
    let expected = differences(&[
        ("amount", "amount"),
        ("refunded", "missing_locally"),
        ("status", "status"),
        ("unknown", "missing_locally"),
        ("unlisted", "missing_at_platform"),
    ]);
    assert_eq!(system.differences(), expected);
    for again in [day, span("21T11:30:00", "21T12:30:00"), day] {
        let again = system.reconcile(again).await;
        assert_eq!(again.differences, NONE);
    }
    assert_eq!(system.differences(), expected);

    // A poll of each payment with a discrepancy is due immediately, and nothing else has changed.
    for (payment, _) in &expected {
        let next = system.payments.schedule.poll_at(&system.payment(payment));
        assert_eq!(next, Some(on("22T12:00:00")));
    }
    let unknown = system.payment("unknown");
    assert_eq!(unknown.status(), Status::Unmatched);
    assert!(unknown.operations().len() == 0);
    assert_eq!(system.payment("refunded").refunded_amount(), 0);
    assert_eq!(system.payment("same").sequence(), 1);
}

#[tokio::test]
async fn a_discrepancy_that_a_report_resolved_is_not_emitted() {
    let system = System::empty();
    let time = on("21T12:30:00");
    system.list("late", "1", time, 1000);
    system.report("late", "1", time, 1000).await;
    let hour = span("21T12:00:00", "21T13:00:00");
    assert_eq!(system.reconcile(hour).await.differences, NONE);

    system.list("lost", "2", time, 1000);
    assert_eq!(system.reconcile(hour).await.differences.missing_locally, 1);
    system.report("lost", "2", time, 1000).await;
    assert_eq!(system.reconcile(hour).await.differences, NONE);
    let emitted = differences(&[("lost", "missing_locally")]);
    assert_eq!(system.differences(), emitted);
}

/// The completion time in the platform records and the date in a report can lie in different hours, even on different
/// days.
#[tokio::test]
async fn the_listed_and_the_reported_time_of_an_operation_may_differ_by_ten_minutes() {
    let system = System::empty();
    let midnight = on("21T00:00:00");
    let before = midnight.before(Duration::from_secs(1));
    let after = midnight.after(Duration::from_secs(599));
    system.report("reported first", "1", before, 1000).await;
    system.list("reported first", "1", after, 1000);
    system.report("listed first", "2", after, 1000).await;
    system.list("listed first", "2", before, 1000);
    let days = span("20T00:00:00", "22T00:00:00");
    let compared = system.reconcile(days).await;
    assert_eq!((compared.differences, compared.compared), (NONE, 2));
    for (from, to) in [
        ("20T23:00:00", "21T00:00:00"),
        ("21T00:00:00", "21T01:00:00"),
    ] {
        assert_eq!(system.reconcile(span(from, to)).await.differences, NONE);
    }

    let late = midnight.after(Duration::from_secs(601));
    system.report("too late", "3", before, 1000).await;
    system.list("too late", "3", late, 1000);
    assert_eq!(system.reconcile(days).await.differences, NONE);
    // The lists of a run cover ten minutes before and ten minutes after the interval of the run.
    let hour = span("20T23:00:00", "21T00:00:00");
    let compared = system.reconcile(hour).await;
    assert_eq!(compared.differences.missing_at_platform, 1, "{compared:?}");
    let emitted = differences(&[("too late", "missing_at_platform")]);
    assert_eq!(system.differences(), emitted);
}

#[tokio::test]
async fn the_page_after_a_full_page_is_requested() {
    let system = System::empty();
    let time = on("21T12:30:00");
    for number in 0..1_000 {
        let id = number.to_string();
        system.report_and_list(&id, &id, time).await;
    }
    let hour = span("21T12:00:00", "21T13:00:00");
    let compared = system.reconcile(hour).await;
    assert_eq!((compared.compared, compared.differences), (1_000, NONE));
    // The first and the last request are for the margins of ten minutes. The request with the offset 200,000 shows
    // whether the hour must be split.
    assert_eq!(system.platform.take_offsets(), [0, 0, 200_000, 1_000, 0]);

    system.list("unknown", "x", time, 1000);
    system.platform.remove("500");
    system.report("unlisted", "y", time, 1000).await;
    let compared = system.reconcile(hour).await;
    assert_eq!(compared.compared, 1_000);
    assert_eq!(system.platform.take_offsets(), [0, 0, 200_000, 1_000, 0]);
    let expected = differences(&[
        ("500", "missing_at_platform"),
        ("unknown", "missing_locally"),
        ("unlisted", "missing_at_platform"),
    ]);
    assert_eq!(system.differences(), expected);
}

#[tokio::test]
async fn ids_with_any_characters_are_compared() {
    let system = System::empty();
    let time = on("21T12:30:00");
    let longest = "\u{e9}".repeat(255);
    let ids = ["a/b #1", " ", "\u{1f600};:\u{0}", "211/x", longest.as_str()];
    for (number, id) in ids.into_iter().enumerate() {
        system.report_and_list(id, &number.to_string(), time).await;
        let rest: String = id.chars().skip(1).collect();
        system.list(&format!("{number}{rest}"), id, time, 1000);
    }
    // Payment ids are compared without case.
    system.platform.remove("0");
    system.list("A/B #1", "0", time, 1000);
    let hour = span("21T12:00:00", "21T13:00:00");
    let compared = system.reconcile(hour).await;
    assert_eq!(compared.unreadable, 0);
    assert_eq!(compared.differences.missing_at_platform, 0, "{compared:?}");
    assert_eq!(compared.differences.missing_locally, 5);
    assert_eq!(system.reconcile(hour).await.differences, NONE);

    for (payment, operation) in [("", "1"), ("x", ""), (&"x".repeat(256), "2")] {
        system.list(payment, operation, time, 1000);
    }
    let other_project = ListedOperation {
        project_id: Some(212),
        ..listed_sale("other project", "9", 1000)
    };
    system.platform.add(time, other_project);
    let compared = system.reconcile(hour).await;
    assert_eq!((compared.unreadable, compared.differences), (4, NONE));
}

#[tokio::test]
async fn unreadable_operations_are_counted_and_the_other_operations_are_compared() {
    let system = System::empty();
    let time = on("21T12:59:00");
    for _ in 0..2 {
        system.list("", "", time, 1000);
    }
    for number in 0..1_005 {
        system.list(&number.to_string(), "", time, 1000);
    }
    for (payment, operation, status) in [("no status", "1", ""), ("status", "2", "undocumented")] {
        system.report(payment, operation, time, 1000).await;
        let listed = ListedOperation {
            status: status.into(),
            ..listed_sale(payment, operation, 1000)
        };
        system.platform.add(time, listed);
    }
    system.list("unknown", "3", time, 1000);

    let compared = system.reconcile(span("21T12:00:00", "21T14:00:00")).await;
    assert_eq!(compared.unreadable, 1_009);
    let expected = differences(&[("status", "status"), ("unknown", "missing_locally")]);
    assert_eq!(system.differences(), expected);

    // A repeated page of unreadable operations is also an error.
    system.platform.state().repeats_first_page = true;
    let hour = span("21T12:00:00", "21T13:00:00");
    let run = system.payments.run_on_demand(project(), hour);
    let error = system.do_run(&run).await.unwrap_err();
    assert!(error.to_string().contains("on each page"), "{error}");
}
