//! What is compared, and what comes of it.

use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use payments::model::Status;
use payments::ports::Clock;
use payments::service::reconcile::{Differences, Reconciled};
use tokio::time::Instant;

use crate::platform::sale;
use crate::world::*;

const NONE: Differences = Differences {
    missing_locally: 0,
    missing_at_platform: 0,
    status: 0,
    amount: 0,
};

#[tokio::test]
async fn each_difference_is_told_once_and_repeated_runs_are_silent() {
    let world = World::new();
    let noon = at("21T12:00:00");
    world.both("same", "1", noon).await;
    world.hear("ours", "2", noon, 1000).await;
    world.books.enter(noon, sale("theirs", "3", 1000));
    world.hear("amount", "4", noon, 1000).await;
    world.books.enter(noon, sale("amount", "4", 900));
    world.hear("status", "5", noon, 1000).await;
    world.books.enter(noon, declined("status", "5"));
    // A refund of a payment that is known, without its callback.
    world.both("refunded", "6", noon).await;
    let refund = ListedOperation {
        kind: "refund".into(),
        ..sale("refunded", "7", 400)
    };
    world.books.enter(noon, refund);
    // What has not ended is no news.
    let open = ListedOperation {
        status: "processing".into(),
        ..sale("open", "8", 1000)
    };
    world.books.enter(noon, open);

    let day = span("21T00:00:00", "22T00:00:00");
    let first = world.compare(day).await;
    let differences = Differences {
        missing_locally: 2,
        missing_at_platform: 1,
        status: 1,
        amount: 1,
    };
    assert_eq!(first.differences, differences, "{first:?}");
    assert_eq!((first.compared, first.failed), (7, 0));
    assert_eq!((first.in_time, first.until), (true, day.to));
    let expected = told(&[
        ("amount", "amount"),
        ("ours", "missing_at_platform"),
        ("refunded", "missing_locally"),
        ("status", "status"),
        ("theirs", "missing_locally"),
    ]);
    assert_eq!(world.told(), expected);
    for again in [day, span("21T11:30:00", "21T12:30:00"), day] {
        let again = world.compare(again).await;
        assert_eq!((again.differences, again.failed), (NONE, 0));
    }
    assert_eq!(world.told(), expected);

    // Each is asked about at once, and nothing else has changed.
    for (payment, _) in &expected {
        let payment = world.payment(payment).await;
        let next = world.payments.schedule.poll_at(&payment);
        assert_eq!(next, Some(at("22T12:00:00")));
    }
    let theirs = world.payment("theirs").await;
    assert_eq!(theirs.status(), Status::Unmatched);
    assert!(theirs.operations().len() == 0);
    assert_eq!(world.payment("refunded").await.refunded_amount(), 0);
    assert_eq!(world.payment("same").await.sequence(), 1);
}

#[tokio::test]
async fn what_is_healed_is_silent() {
    let world = World::new();
    let noon = at("21T12:00:00");
    world.books.enter(noon, sale("late", "1", 1000));
    world.hear("late", "1", noon, 1000).await;
    let hour = span("21T12:00:00", "21T13:00:00");
    assert_eq!(world.compare(hour).await.differences, NONE);

    world.books.enter(noon, sale("lost", "2", 1000));
    assert_eq!(world.compare(hour).await.differences.missing_locally, 1);
    world.hear("lost", "2", noon, 1000).await;
    assert_eq!(world.compare(hour).await.differences, NONE);
    assert_eq!(world.told(), told(&[("lost", "missing_locally")]));
}

/// The platform's time of completion and the date that it told us lie in different slices, days
/// even.
#[tokio::test]
async fn times_may_differ_by_less_than_the_margin() {
    let world = World::new();
    let midnight = at("21T00:00:00");
    let (before, after) = (
        midnight.before(Duration::from_secs(1)),
        midnight.after(Duration::from_secs(599)),
    );
    world.hear("earlier here", "1", before, 1000).await;
    world.books.enter(after, sale("earlier here", "1", 1000));
    world.hear("later here", "2", after, 1000).await;
    world.books.enter(before, sale("later here", "2", 1000));
    let days = span("20T00:00:00", "22T00:00:00");
    let compared = world.compare(days).await;
    assert_eq!((compared.differences, compared.compared), (NONE, 2));
    for (from, to) in [
        ("20T23:00:00", "21T00:00:00"),
        ("21T00:00:00", "21T01:00:00"),
    ] {
        assert_eq!(world.compare(span(from, to)).await.differences, NONE);
    }

    let late = midnight.after(Duration::from_secs(601));
    world.hear("too far", "3", before, 1000).await;
    world.books.enter(late, sale("too far", "3", 1000));
    let compared = world.compare(days).await;
    assert_eq!(compared.differences.missing_at_platform, 1, "{compared:?}");
    assert_eq!(world.told(), told(&[("too far", "missing_at_platform")]));
}

#[tokio::test]
async fn what_is_dated_at_a_border_belongs_to_one_slice() {
    let world = World::new();
    for (number, time) in ["21T11:59:59", "21T12:00:00", "21T12:59:59", "21T13:00:00"]
        .into_iter()
        .enumerate()
    {
        let id = number.to_string();
        world.hear(&id, &id, at(time), 1000).await;
    }
    let compared = world.compare(span("21T12:00:00", "21T13:00:00")).await;
    assert_eq!(compared.differences.missing_at_platform, 2);
    let inside = told(&[("1", "missing_at_platform"), ("2", "missing_at_platform")]);
    assert_eq!(world.told(), inside);
}

#[tokio::test]
async fn a_page_that_is_just_full_is_followed_by_an_empty_one() {
    let world = World::new();
    let noon = at("21T12:30:00");
    for number in 0..1_000 {
        let id = number.to_string();
        world.both(&id, &id, noon).await;
    }
    let hour = span("21T12:00:00", "21T13:00:00");
    let compared = world.compare(hour).await;
    assert_eq!((compared.compared, compared.differences), (1_000, NONE));
    assert_eq!(world.books.offsets(), [0, 1_000]);

    world.books.asked.lock().unwrap().clear();
    world.books.enter(noon, sale("one more", "x", 1000));
    world.books.remove("500");
    world.hear("another", "y", noon, 1000).await;
    let compared = world.compare(hour).await;
    assert_eq!(compared.compared, 1_000);
    assert_eq!(world.books.offsets(), [0, 1_000]);
    let expected = told(&[
        ("500", "missing_at_platform"),
        ("another", "missing_at_platform"),
        ("one more", "missing_locally"),
    ]);
    assert_eq!(world.told(), expected);
}

#[tokio::test]
async fn ids_of_any_form_are_compared() {
    let world = World::new();
    let noon = at("21T12:00:00");
    let longest = "\u{e9}".repeat(255);
    let ids = ["a/b #1", " ", "\u{1f600};:\u{0}", "211/x", longest.as_str()];
    for (number, id) in ids.into_iter().enumerate() {
        world.both(id, &number.to_string(), noon).await;
        let rest: String = id.chars().skip(1).collect();
        let theirs = sale(&format!("{number}{rest}"), id, 1000);
        world.books.enter(noon, theirs);
    }
    let upper = sale("A/B #1", "0", 1000);
    world.books.remove("0");
    world.books.enter(noon, upper);
    let hour = span("21T12:00:00", "21T13:00:00");
    let compared = world.compare(hour).await;
    assert_eq!((compared.unreadable, compared.failed), (0, 0));
    assert_eq!(compared.differences.missing_at_platform, 0, "{compared:?}");
    assert_eq!(compared.differences.missing_locally, 5);
    assert_eq!(world.compare(hour).await.differences, NONE);

    for (payment, operation) in [("", "1"), ("x", ""), (&"x".repeat(256), "2")] {
        world.books.enter(noon, sale(payment, operation, 1000));
    }
    let foreign = ListedOperation {
        project_id: Some(212),
        ..sale("foreign", "9", 1000)
    };
    world.books.enter(noon, foreign);
    let compared = world.compare(hour).await;
    assert_eq!((compared.unreadable, compared.differences), (4, NONE));
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_and_the_rest_compared() {
    let world = World::new();
    // In the margin of two slices.
    let border = at("21T12:59:00");
    for _ in 0..2 {
        world.books.enter(border, sale("", "", 1000));
    }
    for number in 0..1_005 {
        world
            .books
            .enter(border, sale(&number.to_string(), "", 1000));
    }
    world.both("same", "1", border).await;
    let wordless = ListedOperation {
        status: String::new(),
        ..sale("same", "1", 1000)
    };
    world.books.remove("1");
    world.books.enter(border, wordless);
    world.both("other word", "2", border).await;
    let unknown = ListedOperation {
        status: "never heard of".into(),
        ..sale("other word", "2", 1000)
    };
    world.books.remove("2");
    world.books.enter(border, unknown);
    world.books.enter(border, sale("theirs", "3", 1000));

    let compared = world.compare(span("21T12:00:00", "21T14:00:00")).await;
    assert_eq!((compared.failed, compared.unreadable), (0, 1_009));
    assert_eq!(
        (compared.in_time, compared.until),
        (true, at("21T14:00:00"))
    );
    let expected = told(&[("other word", "status"), ("theirs", "missing_locally")]);
    assert_eq!(
        world.told(),
        expected,
        "what is listed is not missing there"
    );

    // A page that has nothing else is passed, and still seen to come again and again.
    *world.books.circle.lock().unwrap() = true;
    let compared = world.compare(span("21T12:00:00", "21T13:00:00")).await;
    assert!(
        compared
            .failure
            .unwrap()
            .contains("the same operations on each page")
    );
}

#[tokio::test]
async fn what_is_not_answered_is_asked_again_and_then_left() {
    let world = World::new();
    world.hear("ours", "1", at("21T12:00:00"), 1000).await;
    *world.books.silent.lock().unwrap() = 2;
    let hour = span("21T12:00:00", "21T13:00:00");
    let compared = world.compare(hour).await;
    assert_eq!(
        (compared.failed, compared.differences.missing_at_platform),
        (0, 1)
    );

    // One slice fails, the others are compared, and it is told how far all is done.
    *world.books.silent.lock().unwrap() = 3;
    world.hear("later", "2", at("21T14:00:00"), 1000).await;
    let compared = world.compare(span("21T12:00:00", "21T15:00:00")).await;
    assert_eq!((compared.failed, compared.until), (1, hour.from));
    assert_eq!(compared.differences.missing_at_platform, 1);
    let failure = compared.failure.unwrap();
    assert_eq!(
        failure,
        "211 from 2026-11-21T12:00:00Z: the platform did not answer: HTTP status 429"
    );

    // A platform that is down is not asked all day long.
    *world.books.silent.lock().unwrap() = 1_000;
    world.books.asked.lock().unwrap().clear();
    let compared = world.compare(span("21T00:00:00", "22T00:00:00")).await;
    assert_eq!((compared.failed, compared.compared), (3, 0));
    assert_eq!(world.books.offsets().len(), 9);
}

/// Compares until time is up with a platform that hangs; after so many seconds of its clock.
async fn compare_in_vain(world: &World, seconds: u64) -> Reconciled {
    *world.books.hangs.lock().unwrap() = true;
    let hour = span("21T12:00:00", "21T13:00:00");
    let end = Instant::now() + Duration::from_millis(200);
    let compared = world.payments.reconcile(&world.books, project(), hour, end);
    let pass = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world
            .payments
            .clock
            .sleep(Duration::from_secs(seconds))
            .await;
    };
    let (compared, ()) = tokio::join!(compared, pass);
    assert_eq!((compared.in_time, compared.until), (false, hour.from));
    compared
}

#[tokio::test]
async fn a_platform_that_hangs_has_failed_and_one_that_is_cut_short_has_not() {
    let world = World::new();
    let cut = compare_in_vain(&world, 60).await;
    assert_eq!((cut.failed, cut.failure), (0, None));
    let hung = compare_in_vain(&world, 61).await;
    let failure = "211 from 2026-11-21T12:00:00Z: the platform did not answer: deadline after 61 s";
    assert_eq!((hung.failed, hung.failure.as_deref()), (1, Some(failure)));

    // An error, and then nothing any more.
    *world.books.silent.lock().unwrap() = 1;
    let hung = compare_in_vain(&world, 0).await;
    assert_eq!(hung.failed, 1);
    assert!(hung.failure.unwrap().ends_with("HTTP status 429"));
}

#[tokio::test]
async fn a_list_without_an_end_is_an_error() {
    let world = World::new();
    for number in 0..1_000 {
        let operation = declined("same", &number.to_string());
        world.books.enter(at("21T12:00:00"), operation);
    }
    *world.books.circle.lock().unwrap() = true;
    let compared = world.compare(span("21T12:00:00", "21T13:00:00")).await;
    assert_eq!(compared.failed, 1);
    assert!(
        compared
            .failure
            .unwrap()
            .contains("the same operations on each page")
    );
}

#[tokio::test]
async fn a_run_without_time_does_nothing() {
    let world = World::new();
    world.hear("ours", "1", at("21T12:00:00"), 1000).await;
    let day = span("21T00:00:00", "22T00:00:00");
    let reconciled = world
        .payments
        .reconcile(&world.books, project(), day, Instant::now())
        .await;
    assert_eq!((reconciled.in_time, reconciled.until), (false, day.from));
    assert!(world.told().is_empty() && world.books.offsets().is_empty());
}
