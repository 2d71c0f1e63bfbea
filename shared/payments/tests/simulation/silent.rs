//! Months in which callbacks get lost, all of them or some: only the sweeper's questions tell what
//! became of payments and refunds.

use std::collections::BTreeMap;
use std::rc::Rc;

use payments::model::schedule::{Next, Schedule};
use payments::model::{Payment, Refund, RefundStatus};
use payments::ports::Clock;

use crate::books;
use crate::promises::Promises;
use crate::system::{Job, System, drive, finish, timers};

const DAY: i64 = 24 * 3_600_000;
/// Payments by link, which nobody ever uses, and by Gate.
const PAYMENTS: u64 = 4;

/// What came of all runs together.
#[derive(Debug, Default)]
pub struct Learnt {
    pub polls: u64,
    pub succeeded: u64,
    pub declined: u64,
    pub failed: u64,
    pub refunded: u64,
}

/// One run: for 30 days everything may go wrong, then the platform has ended everything, as it
/// does, and the last questions get through.
pub fn run(seed: u64) -> Learnt {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::new(seed);
    let world = &system.world;
    // Of what is done elsewhere and never told, nobody here knows: then only the schedule is checked.
    let is_plain = world.below(4) > 0;
    if is_plain {
        system.platform.be_plain();
    }
    let mut promises = Promises::default();
    let start = world.now().unix_millis();
    let mut begun = 0;
    for number in 0..PAYMENTS {
        let job = match number % 2 {
            0 => Job::Create(number),
            _ => Job::CreateLink(number),
        };
        // As often as a storefront tries.
        for _ in 0..5 {
            begun += 1;
            if drive(&system, &job, || {}) {
                break;
            }
        }
    }
    let heard_one_in = [0, 3][usize::try_from(world.below(2)).unwrap()];
    let mut end = start + 30 * DAY;
    let mut next_act = start;
    for step in 0.. {
        let now = world.now().unix_millis();
        assert!(step < 5_000, "something is due again and again");
        if now >= end && end < i64::MAX {
            world.be_quiet();
            while !system.platform.is_done() {
                system.platform.act(true);
            }
            (end, next_act) = (i64::MAX, i64::MAX);
        }
        let plans = system.payments.store.memory.plans.lock().unwrap().clone();
        let due = plans.values().filter_map(|next| match next {
            Next::Poll(at) | Next::Expire(at) | Next::Erase(at) => Some(at.unix_millis()),
            Next::Overdue(_) => None,
        });
        let Some(then) = due.chain([end, next_act]).filter(|at| *at < i64::MAX).min() else {
            break;
        };
        world.pass((then - now).max(0));
        if then == next_act {
            next_act = act(&system, &mut begun);
        }
        for message in system.platform.take_messages() {
            if heard_one_in > 0 && world.below(heard_one_in) == 0 {
                begun += 1;
                drive(&system, &Job::Hear(Rc::new(message)), || {});
            }
        }
        for job in [Job::ExpireAll, Job::AskAll, Job::EraseAll, Job::SweepOutbox] {
            drive(&system, &job, || {});
        }
        if is_plain {
            promises.check(&system.payments.store);
        }
    }
    let mut learnt = Learnt::default();
    check_schedule(&system.platform.polls(), begun);
    if !is_plain {
        return learnt;
    }
    finish(&system, &Job::SweepOutbox, &mut promises);
    books::close(&system);
    promises.check_end(&system.payments.store, &system.platform.accounts());
    let rows = system.payments.store.memory.rows.lock().unwrap();
    for row in rows.values() {
        check_ended(&row.payment);
        learnt.polls += u64::from(row.payment.polling().polls_sent());
        learnt.succeeded += u64::from(row.payment.paid_amount() > 0);
        learnt.declined += u64::from(row.payment.declining_operation().is_some());
        learnt.failed += u64::from(row.payment.refusal_code().is_some());
        learnt.refunded += u64::from(row.payment.refunded_amount() > 0);
    }
    learnt
}

/// Something happens at the platform, or is asked of it. Gives when the next thing does.
fn act(system: &System, begun: &mut u64) -> i64 {
    let world = &system.world;
    system.platform.act(false);
    if world.below(4) == 0 {
        *begun += 1;
        let refund = Job::Refund(
            world.below(PAYMENTS),
            world.below(3),
            Some(1 + world.below(500)),
        );
        drive(system, &refund, || {});
    }
    let longest = [60_000, 3_600_000, 3 * DAY][usize::try_from(world.below(3)).unwrap()];
    let pause = world.below(u64::try_from(longest).unwrap());
    world.now().unix_millis() + i64::try_from(pause).unwrap()
}

fn check_ended(payment: &Payment) {
    let key = payment.key();
    assert!(
        !payment.polling().needs_recheck(),
        "{key} stays unsettled: {payment:#?}"
    );
    let next = Schedule::default().next(payment);
    // A refund without an answer, and one that nobody has named: it may be this one, or not.
    let is_ambiguous = |refund: &Refund| {
        let mut others = payment.refunds().iter();
        refund.status() == RefundStatus::Unknown
            && others.any(|other| other.refund_id().is_none() && other.amount() == refund.amount())
    };
    let is_open = |refund: &&Refund| refund.status().is_reserved();
    let open: Vec<&Refund> = payment.refunds().iter().filter(is_open).collect();
    if !open.is_empty() {
        assert!(
            open.iter().all(|one| is_ambiguous(one)),
            "{key}: {payment:?}"
        );
        assert!(matches!(next, Some(Next::Overdue(_))), "{key}: {next:?}");
        return;
    }
    assert!(!payment.is_open(), "{key} stays open: {payment:?}");
    assert_eq!(next, None, "{key}");
    let order = payment.order();
    assert!(order.is_none_or(|order| order.customer.is_none()), "{key}");
}

/// No more questions than the schedule allows: what is begun is asked about seven times within
/// eight hours and at its own end, and then daily.
fn check_schedule(asked: &[(String, i64)], begun: u64) {
    let mut by_payment: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (payment_id, at) in asked {
        by_payment.entry(payment_id).or_default().push(*at);
    }
    for (payment_id, times) in by_payment {
        let (first, last) = (times[0], times[times.len() - 1]);
        let days = u64::try_from((last - first) / DAY).unwrap();
        let most = days + 2 + 9 * begun;
        let questions = times.len() as u64;
        assert!(
            questions <= most,
            "{payment_id}: {questions} questions in {days} days"
        );
    }
}
