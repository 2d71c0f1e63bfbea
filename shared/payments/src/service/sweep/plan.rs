//! Decides which due payments a sweeper run hands out, in which messages, and with which delays.

use std::time::Duration;

use crate::model::timestamp::Timestamp;
use crate::ports::{Due, Work, WorkMessage};

/// The time between two runs of the sweeper, in seconds. A run spreads its polls over this time.
pub(super) const PERIOD_S: usize = 60;
/// The maximum number of polls in a message. The worker sends the polls of a message in parallel, so one invocation
/// waits only once. The number is small, because each answer can need megabytes of memory.
pub const POLLS_PER_MESSAGE: usize = 4;
/// The maximum number of payments in a message without polls. A payment needs at most 1.7 KB, so ten messages are far
/// below SQS's limit of 1 MiB for one call.
const PAYMENTS_PER_MESSAGE: usize = 20;
/// How long after its planned second a message with polls is still valid. Delivery and a cold start of the worker need
/// some of this time. After a stop of the worker, at most the polls of six seconds are sent together.
const TOLERANCE: Duration = Duration::from_secs(5);
/// The number of waiting messages that do not reduce the new work.
const USUAL_BACKLOG: usize = 100;

/// Selects at most `quota` due payments from `due`, which is sorted, the oldest first. If more are due, selects half
/// from the oldest and half from the newest. So payments that stay due, because they cannot be read, never displace
/// all others.
pub(super) fn select(mut due: Vec<Due>, quota: usize) -> Vec<Due> {
    if due.len() <= quota {
        return due;
    }
    let newest = due.split_off(due.len() - quota / 2);
    due.truncate(quota - quota / 2);
    due.extend(newest);
    due
}

/// Plans the polls of several projects from `now` on, in the order of their delays. In each second, at most
/// `per_second` polls of each project are delivered. Messages with the same delay alternate between the projects.
pub(super) fn polls(projects: &[Vec<Due>], per_second: usize, now: Timestamp) -> Vec<WorkMessage> {
    let seconds = projects.iter().flat_map(|due| {
        let seconds = due.chunks(per_second.max(1)).enumerate();
        seconds.flat_map(|(second, due)| {
            let parts = due.chunks(POLLS_PER_MESSAGE).enumerate();
            parts.map(move |(part, due)| ((second, part), due))
        })
    });
    let mut planned: Vec<_> = seconds.collect();
    // The sort is stable, so the projects stay in their order.
    planned.sort_by_key(|(time, _)| *time);
    let message = |((second, _), due): ((usize, usize), &[Due])| {
        let delay = Duration::from_secs(second as u64);
        let work = Work::Poll {
            payments: due.to_vec(),
            until: Some(now.after(delay + TOLERANCE)),
        };
        WorkMessage { work, delay }
    };
    planned.into_iter().map(message).collect()
}

pub(super) fn minute(now: Timestamp) -> u64 {
    now.unix_seconds().unsigned_abs() / PERIOD_S as u64
}

/// Selects at most `max` of the late payments. Successive turns select successive parts, because a check does not move
/// a payment in the index.
pub(super) fn part_of_turn(mut late: Vec<Due>, max: usize, turn: u64) -> Vec<Due> {
    let parts = late.len().div_ceil(max.max(1)) as u64;
    let number = turn.checked_rem(parts).unwrap_or_default();
    let start = usize::try_from(number)
        .unwrap_or_default()
        .saturating_mul(max);
    let mut part = late.split_off(start.min(late.len()));
    part.truncate(max);
    part
}

/// Plans work that needs no limit on its rate.
pub(super) fn without_delay(due: &[Due], work: fn(Vec<Due>) -> Work) -> Vec<WorkMessage> {
    let parts = due.chunks(PAYMENTS_PER_MESSAGE);
    let message = |payments: &[Due]| WorkMessage {
        work: work(payments.to_vec()),
        delay: Duration::ZERO,
    };
    parts.map(message).collect()
}

/// Shortens a plan by the number of messages that already wait in the queue. So the queue holds little more than the
/// work of one run. Without this limit, the worker would receive the same payments hundreds of times after a
/// stop.
pub(super) fn reduce(planned: &mut Vec<WorkMessage>, backlog: u64) {
    let backlog = usize::try_from(backlog).unwrap_or(usize::MAX);
    let excess = backlog.saturating_sub(USUAL_BACKLOG);
    planned.truncate(planned.len().saturating_sub(excess));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ecommpay::fields::ProjectId;

    use super::*;
    use crate::PaymentKey;

    fn due(project: u64, count: usize) -> Vec<Due> {
        let project = ProjectId::new(project).unwrap();
        let due = |number: usize| Due {
            key: PaymentKey::new(project, &number.to_string()),
            since: Timestamp::from_millis(number as i64),
        };
        (0..count).map(due).collect()
    }

    fn payments(message: &WorkMessage) -> &[Due] {
        match &message.work {
            Work::Poll { payments, .. } | Work::Erase { payments } => payments,
            other => panic!("{other:?}"),
        }
    }

    fn rates(plan: &[WorkMessage]) -> BTreeMap<(u64, u32), usize> {
        let mut rates = BTreeMap::new();
        for message in plan {
            for due in payments(message) {
                let project = due.key.project_id().get();
                *rates.entry((message.delay.as_secs(), project)).or_default() += 1;
            }
        }
        rates
    }

    #[test]
    fn the_selection_has_the_oldest_and_the_newest_payments_up_to_the_quota() {
        for (count, quota, expected) in [
            (0, 4, vec![]),
            (4, 4, vec![0, 1, 2, 3]),
            (9, 4, vec![0, 1, 7, 8]),
            (9, 5, vec![0, 1, 2, 7, 8]),
            (9, 1, vec![0]),
            (9, 0, vec![]),
        ] {
            let selected = select(due(211, count), quota);
            let numbers: Vec<i64> = selected.iter().map(|due| due.since.unix_millis()).collect();
            assert_eq!(numbers, expected, "{count} due, quota {quota}");
        }
    }

    #[test]
    fn successive_turns_check_each_late_payment_once() {
        for (count, turns) in [(0, 1), (3, 1), (4, 1), (9, 3)] {
            let all = due(211, count);
            let parts = (30..30 + turns).flat_map(|turn| part_of_turn(all.clone(), 4, turn));
            let mut checked: Vec<Due> = parts.collect();
            checked.sort_by_key(|due| due.since);
            assert_eq!(checked, all, "{count}");
        }
    }

    #[test]
    fn successive_minutes_have_successive_numbers() {
        let minute = |seconds: i64| minute(Timestamp::from_millis(seconds * 1_000));
        assert_eq!([0, 59, 60, 150].map(minute), [0, 0, 1, 2]);
    }

    #[test]
    fn each_project_has_at_most_its_rate_in_each_second_and_no_delay_below_its_rate() {
        for (counts, per_second) in [
            (vec![3], 20),
            (vec![1_200, 12], 20),
            (vec![100, 1, 7, 0], 6),
            (vec![5, 5], 1),
        ] {
            let projects: Vec<Vec<Due>> = (1..)
                .zip(&counts)
                .map(|(project, count)| due(project, *count))
                .collect();
            let plan = polls(&projects, per_second, Timestamp::from_millis(0));
            for ((second, project), count) in rates(&plan) {
                let total = counts[project as usize - 1];
                let before = second as usize * per_second;
                assert_eq!(
                    count,
                    per_second.min(total - before),
                    "{project} at {second}"
                );
            }
            let planned: Vec<&Due> = plan.iter().flat_map(payments).collect();
            assert_eq!(planned.len(), counts.iter().sum::<usize>());
            assert!(
                plan.iter()
                    .all(|message| payments(message).len() <= POLLS_PER_MESSAGE)
            );
            assert!(plan.is_sorted_by_key(|message| message.delay));
        }
    }

    #[test]
    fn projects_take_turns_so_a_reduced_plan_is_fair() {
        let projects = [due(1, 2_000), due(2, 40), due(3, 40)];
        let mut plan = polls(&projects, 20, Timestamp::from_millis(0));
        let order: Vec<u32> = plan
            .iter()
            .take(15)
            .map(|message| payments(message)[0].key.project_id().get())
            .collect();
        assert_eq!(order, [1, 2, 3].repeat(5));
        let left = 30;
        let backlog = plan.len() - left + USUAL_BACKLOG;
        reduce(&mut plan, backlog as u64);
        let count = |project: u64| {
            let of_project = |message: &&WorkMessage| {
                u64::from(payments(message)[0].key.project_id().get()) == project
            };
            plan.iter().filter(of_project).count()
        };
        assert_eq!([1, 2, 3].map(count), [10, 10, 10]);
    }

    #[test]
    fn a_plan_is_reduced_by_the_messages_that_already_wait() {
        for (backlog, left) in [
            (0, 250),
            (100, 250),
            (101, 249),
            (300, 50),
            (350, 0),
            (u64::MAX, 0),
        ] {
            let mut plan = without_delay(&due(211, 5_000), |payments| Work::Erase { payments });
            assert_eq!(plan.len(), 250);
            reduce(&mut plan, backlog);
            assert_eq!(plan.len(), left, "backlog {backlog}");
        }
    }

    #[test]
    fn work_without_polls_has_no_delay_and_full_messages() {
        let plan = without_delay(&due(211, 41), |payments| Work::Erase { payments });
        let sizes: Vec<usize> = plan.iter().map(|message| payments(message).len()).collect();
        assert_eq!(sizes, [20, 20, 1]);
        assert!(plan.iter().all(|message| message.delay.is_zero()));
    }
}
