//! Simulates two months in which all or some callbacks are lost. Status polls must show how the payments and refunds
//! ended.

use std::collections::BTreeMap;
use std::rc::Rc;

use payments::model::schedule::{Next, Schedule};
use payments::model::{Payment, Refund, RefundStatus};
use payments::ports::Clock;

use crate::daily_report;
use crate::invariants::Invariants;
use crate::jobs::{Job, run_job, run_without_faults, timers};
use crate::random_run::Totals;
use crate::system::System;

const DAY: i64 = 24 * 3_600_000;
/// The interval between two runs of the sweeper, in milliseconds.
const MINUTE: i64 = 60_000;
/// Half of the payments are Gate sales. The other payments have links that no shopper uses.
const PAYMENTS: u64 = 4;

/// Faults happen for 30 days. Then the faults stop, the platform ends every operation, and polls continue until no poll
/// is planned. Returns the number of polls, and how many payments had each kind of end.
pub fn run(seed: u64) -> Totals {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::with_seed(seed);
    let clock = system.clock();
    // Some changes at the platform appear only in callbacks. Runs with these changes check only the schedule.
    let is_plain = clock.random(4) > 0;
    if is_plain {
        system.platform.be_plain();
    }
    let mut invariants = Invariants::default();
    let mut activities = create_payments(&system);
    let delivered_one_in = [0, 3][usize::try_from(clock.random(2)).unwrap()];
    let mut next_act = clock.now().unix_millis();
    let mut end = next_act + 30 * DAY;
    for step in 0.. {
        let now = clock.now().unix_millis();
        assert!(step < 5_000, "the actions never end");
        if now >= end && end < i64::MAX {
            system.behaviour().stop();
            system.platform.finish();
            (end, next_act) = (i64::MAX, i64::MAX);
        }
        let planned = system.tables().next.clone();
        let due = planned.values().filter_map(|next| match next {
            Next::Poll(at) | Next::Expire(at) | Next::Erase(at) => Some(at.unix_millis()),
            Next::Overdue(_) => None,
        });
        // A run of the sweeper can find an entry of a poll some seconds before the poll is due. The next run of the
        // sweeper finds the entry again.
        let due = due.map(|at| if at <= now { now + MINUTE } else { at });
        let times = due.chain([end, next_act]);
        let Some(time) = times.filter(|at| *at < i64::MAX).min() else {
            break;
        };
        clock.move_by((time - now).max(0));
        if time == next_act {
            next_act = act(&system, &mut activities);
        }
        for message in system.platform.take_messages() {
            if delivered_one_in > 0 && clock.random(delivered_one_in) == 0 {
                activities += 1;
                run_job(&system, Job::Deliver(Rc::new(message)));
            }
        }
        for job in [
            Job::ExpireAll,
            Job::PollAll,
            Job::EraseAll,
            Job::SweepOutbox,
        ] {
            run_job(&system, job);
        }
        if is_plain {
            invariants.check(&system);
        }
    }
    check_schedule(&system.platform.polls(), activities);
    if !is_plain {
        return Totals::default();
    }
    run_without_faults(&system, Job::SweepOutbox, &mut invariants);
    daily_report::check(&system);
    invariants.check_end(&system);
    count_ends(&system)
}

/// Creates the payments. A storefront sends a request at most five times. Returns the number of requests.
fn create_payments(system: &System) -> u64 {
    let mut requests = 0;
    for number in 0..PAYMENTS {
        let job = match number % 2 {
            0 => Job::Create(number),
            _ => Job::CreateLink(number),
        };
        for _ in 0..5 {
            requests += 1;
            if run_job(system, job.clone()) {
                break;
            }
        }
    }
    requests
}

/// Changes a payment at the platform, and sometimes requests a refund as a storefront. Returns the time of the next
/// change.
fn act(system: &System, activities: &mut u64) -> i64 {
    let choose = |end: u64| system.clock().random(end);
    system.platform.act(false);
    if choose(4) == 0 {
        *activities += 1;
        let refund = Job::Refund(choose(PAYMENTS), choose(3), Some(1 + choose(500)));
        run_job(system, refund);
    }
    let longest = [60_000, 3_600_000, 3 * DAY][usize::try_from(choose(3)).unwrap()];
    let pause = choose(u64::try_from(longest).unwrap());
    system.now().unix_millis() + i64::try_from(pause).unwrap()
}

fn count_ends(system: &System) -> Totals {
    let mut ends = Totals::default();
    for stored in system.tables().payments.values() {
        let payment = &stored.payment;
        check_ended(payment);
        ends.count("polls", payment.polling().polls_sent().into());
        ends.count("succeeded", (payment.paid_amount() > 0).into());
        ends.count("declined", payment.declining_operation().is_some().into());
        ends.count("failed", payment.refusal_code().is_some().into());
        ends.count("refunded", (payment.refunded_amount() > 0).into());
    }
    ends
}

fn check_ended(payment: &Payment) {
    let key = payment.key();
    assert!(
        !payment.polling().needs_recheck(),
        "{key} needs a recheck: {payment:#?}"
    );
    let next = Schedule::default().next(payment);
    // A refund is ambiguous if its request has no clear answer, and an operation without our id can belong to the
    // refund.
    let is_ambiguous = |refund: &&Refund| {
        let mut others = payment.refunds().iter();
        refund.status() == RefundStatus::Unknown
            && others.any(|other| other.refund_id().is_none() && other.amount() == refund.amount())
    };
    let is_open = |refund: &&Refund| refund.status().is_reserved();
    let open: Vec<&Refund> = payment.refunds().iter().filter(is_open).collect();
    if !open.is_empty() {
        assert!(open.iter().all(is_ambiguous), "{key}: {payment:?}");
        assert!(matches!(next, Some(Next::Overdue(_))), "{key}: {next:?}");
        return;
    }
    assert!(!payment.is_open(), "{key} stays open: {payment:?}");
    assert_eq!(next, None, "{key}");
    let order = payment.order();
    assert!(order.is_none_or(|order| order.customer.is_none()), "{key}");
}

/// Checks that each activity causes at most nine polls besides the daily polls. An activity is a checkout request, a
/// refund request or a delivered callback. Each activity can restart the schedule.
fn check_schedule(polls: &[(String, i64)], activities: u64) {
    let mut by_payment: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (payment_id, at) in polls {
        by_payment.entry(payment_id).or_default().push(*at);
    }
    for (payment_id, times) in by_payment {
        let (first, last) = (times[0], times[times.len() - 1]);
        let days = u64::try_from((last - first) / DAY).unwrap();
        let (count, most) = (times.len() as u64, days + 2 + 9 * activities);
        assert!(count <= most, "{payment_id}: {count} polls in {days} days");
    }
}
