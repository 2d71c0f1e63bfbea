use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);
const MINUTE: Duration = Duration::from_secs(60);

fn later(minutes: u32) -> Timestamp {
    NOW.after(MINUTE * minutes)
}

/// Returns a backlog whose first event failed twice.
fn failed_twice(next: u64, through: u64) -> Backlog {
    Backlog {
        failures: 2,
        due: later(5),
        ..Backlog::of(next, through, NOW)
    }
}

fn range(backlog: &Backlog) -> (u64, u64, u32) {
    (backlog.next, backlog.through, backlog.failures)
}

fn replaced(conclusion: Conclusion) -> Backlog {
    match conclusion {
        Conclusion::Replace(backlog) => backlog,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_whose_first_try_failed_has_one_failure() {
    let backlog = Backlog::after_failure(3, NOW, later(1));
    assert_eq!(range(&backlog), (3, 3, 1));
    assert_eq!((backlog.since, backlog.due), (NOW, later(1)));
}

#[test]
fn an_added_event_waits_behind_the_others_unless_it_is_the_earliest() {
    let backlog = failed_twice(3, 5);
    for (added, expected) in [
        ((3, 3), None),
        ((4, 5), None),
        ((6, 6), Some((3, 6, 2))),
        ((4, 9), Some((3, 9, 2))),
        ((2, 2), Some((2, 5, 0))),
        ((1, 7), Some((1, 7, 0))),
    ] {
        let with = backlog.with(added.0, added.1, later(1));
        assert_eq!(with.as_ref().map(range), expected, "{added:?}");
        let Some(with) = with else { continue };
        assert_eq!((with.due, with.version), (backlog.due, backlog.version + 1));
        let since = if with.next < 3 { later(1) } else { NOW };
        assert_eq!(with.since, since);
    }
}

#[test]
fn a_claimed_item_is_due_at_the_end_of_its_lease() {
    let backlog = failed_twice(3, 5);
    let claim = backlog.claim(later(5));
    let expected = Backlog {
        due: later(5).after(LEASE),
        version: backlog.version + 1,
        ..backlog
    };
    assert_eq!(*claim.held(), expected);
}

#[test]
fn the_failures_of_an_event_are_counted_from_its_first_try() {
    let claim = failed_twice(3, 5).claim(later(5));
    assert_eq!([3, 4].map(|sequence| claim.failures_of(sequence)), [3, 1]);
}

#[test]
fn a_retry_without_concurrent_writes_ends_with_the_events_that_are_not_done() {
    let claim = failed_twice(3, 5).claim(later(5));
    let retry_at = later(35);
    for (next, end, expected) in [
        // Nothing was tried, or the try was a probe: the item keeps its place.
        (3, End::Stopped, Some((3, 2, NOW, later(5)))),
        (3, End::Failed { retry_at }, Some((3, 3, NOW, retry_at))),
        (4, End::Stopped, Some((4, 0, later(6), later(6)))),
        (
            4,
            End::Failed { retry_at },
            Some((4, 1, later(6), retry_at)),
        ),
        (6, End::Stopped, None),
    ] {
        let held = claim.held();
        let conclusion = claim.conclude(held, next, end, later(6));
        let expected = expected.map_or(Conclusion::Delete, |(next, failures, since, due)| {
            Conclusion::Replace(Backlog {
                next,
                through: 5,
                failures,
                since,
                due,
                version: held.version + 1,
            })
        });
        assert_eq!(conclusion, expected, "{next} {end:?}");
    }
}

#[test]
fn an_event_that_is_added_during_a_retry_is_not_lost() {
    let claim = failed_twice(3, 5).claim(later(5));
    let with_later = claim.held().with(6, 6, later(6)).unwrap();
    let conclusion = claim.conclude(&with_later, 6, End::Stopped, later(6));
    let item = replaced(conclusion);
    assert_eq!(range(&item), (6, 6, 0));
    assert_eq!(item.due, later(6));

    let with_earlier = claim.held().with(1, 1, later(6)).unwrap();
    for (next, end, due) in [
        (6, End::Stopped, later(6)),
        (
            3,
            End::Failed {
                retry_at: later(35),
            },
            later(35),
        ),
    ] {
        let item = replaced(claim.conclude(&with_earlier, next, end, later(6)));
        assert_eq!(range(&item), (1, 5, 0));
        assert_eq!((item.since, item.due), (later(6), due));
        assert_eq!(item.version, with_earlier.version + 1);
    }
}

#[test]
fn a_retry_writes_nothing_after_another_retry_has_claimed_the_item() {
    let claim = failed_twice(3, 5).claim(later(5));
    let second = claim.held().claim(later(5).after(LEASE));
    let conclusion = claim.conclude(second.held(), 6, End::Stopped, later(9));
    assert_eq!(conclusion, Conclusion::Lost);
}
