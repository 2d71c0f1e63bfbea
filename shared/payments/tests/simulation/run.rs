//! One run: tasks that are polled, crashed and repeated in an order that the seed gives.

use std::collections::BTreeSet;
use std::rc::Rc;

use payments::events::{Event, EventKind};
use payments::model::Status;
use payments::model::schedule::Next;
use payments::ports::{Clock, Stored};

use crate::books;
use crate::platform::{Account, Message, Story};
use crate::promises::Promises;
use crate::system::{Job, System, Task, begin, drive, finish, key, poll, timers};
use crate::world::QUEUES;

/// What happened in all runs together.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub steps: u64,
    pub crashes: u64,
    pub failures: u64,
    pub paid: u64,
    pub refunded: u64,
    pub events: u64,
    pub sends: u64,
    pub polls: u64,
    pub differences: u64,
    pub paid_twice: u64,
    pub odd: u64,
    pub refund_attempts: u64,
    pub taken_back: u64,
    pub expired: u64,
    pub awaiting_confirmation: u64,
    pub returned: u64,
    /// Every change of a status that was seen.
    pub transitions: BTreeSet<(Status, Status)>,
}

impl Totals {
    pub fn add(&mut self, other: Totals) {
        self.steps += other.steps;
        self.crashes += other.crashes;
        self.failures += other.failures;
        self.paid += other.paid;
        self.refunded += other.refunded;
        self.events += other.events;
        self.sends += other.sends;
        self.polls += other.polls;
        self.differences += other.differences;
        self.paid_twice += other.paid_twice;
        self.odd += other.odd;
        self.refund_attempts += other.refund_attempts;
        self.taken_back += other.taken_back;
        self.expired += other.expired;
        self.awaiting_confirmation += other.awaiting_confirmation;
        self.returned += other.returned;
        self.transitions.extend(other.transitions);
    }
}

const PAYMENTS: u64 = 3;

/// What storefronts do most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// A bit of everything.
    Usual,
    /// Refunds, again and again, of the same few ids.
    Refunds,
}

pub fn run(seed: u64, mix: Mix) -> Totals {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::new(seed);
    let world = &system.world;
    let choose = |end: u64| world.below(end);
    let mut promises = Promises::default();
    let mut totals = Totals::default();
    let mut tasks: Vec<Task<'_>> = Vec::new();
    // The callbacks that were not answered with 200 yet, and some that will come twice.
    let mut waiting: Vec<Rc<Message>> = Vec::new();

    for _ in 0..600 {
        totals.steps += 1;
        let step = match mix {
            Mix::Refunds if choose(3) == 0 => 1,
            _ => choose(20),
        };
        match step {
            0 => tasks.push(begin(&system, &Job::Create(choose(PAYMENTS)))),
            1 => {
                let amount = [None, Some(1 + choose(600))][usize::try_from(choose(2)).unwrap()];
                let refund = choose(if mix == Mix::Refunds { 12 } else { 4 });
                totals.refund_attempts += 1;
                tasks.push(begin(
                    &system,
                    &Job::Refund(choose(PAYMENTS), refund, amount),
                ));
            }
            2 | 3 => system.platform.act(false),
            4 | 5 if !waiting.is_empty() => {
                let at = usize::try_from(choose(waiting.len() as u64)).unwrap();
                let message = match choose(3) {
                    0 => waiting[at].clone(),
                    _ => waiting.swap_remove(at),
                };
                tasks.push(begin(&system, &Job::Hear(message)));
            }
            6 if choose(4) == 0 => {
                let payment_id = format!("order-{}", choose(PAYMENTS));
                tasks.push(begin(&system, &Job::Ask(payment_id)));
            }
            6 if choose(4) == 0 => tasks.push(begin(&system, &Job::AskAll)),
            6 if choose(4) == 0 => tasks.push(begin(&system, &Job::ExpireAll)),
            6 if choose(4) == 0 => {
                let job = Job::Review(choose(PAYMENTS), choose(2) == 0);
                tasks.push(begin(&system, &job));
            }
            6 => tasks.push(begin(&system, &Job::ClarifyRefund(choose(PAYMENTS)))),
            7 if choose(4) == 0 => tasks.push(begin(&system, &Job::SweepOutbox)),
            7 if choose(4) == 0 => {
                let job = Job::Compare(choose(100), choose(4) == 0);
                tasks.push(begin(&system, &job));
            }
            7 if choose(20) == 0 => system.platform.pay_elsewhere(choose(2)),
            8 if choose(8) == 0 => {
                world.toggle(usize::try_from(choose(QUEUES as u64)).unwrap());
            }
            // Forwards, and sometimes back.
            9 => match choose(40) {
                // Long enough for a checkout to end.
                0 => world.pass(1_800_000),
                _ => world.pass(i64::try_from(choose(120_000)).unwrap() - 10_000),
            },
            _ if !tasks.is_empty() => {
                let at = usize::try_from(choose(tasks.len() as u64)).unwrap();
                let crashed = choose(40) == 0;
                let done = if crashed {
                    Some(false)
                } else {
                    poll(&mut tasks[at])
                };
                if let Some(done) = done {
                    totals.crashes += u64::from(crashed);
                    totals.failures += u64::from(!done);
                    let task = tasks.swap_remove(at);
                    if let (Job::Hear(message), false) = (&task.job, done) {
                        waiting.push(message.clone());
                    }
                }
            }
            _ => {}
        }
        waiting.extend(system.platform.take_messages().into_iter().map(Rc::new));
        promises.check(&system.payments.store);
    }

    // Nothing goes wrong any more, and everything comes to its end.
    world.be_quiet();
    for task in tasks.drain(..) {
        if let Job::Hear(message) = task.job {
            waiting.push(message);
        }
    }
    while let Some(message) = waiting.pop() {
        finish(&system, &Job::Hear(message), &mut promises);
    }
    totals.polls = come_to_rest(&system, &mut promises);
    totals.paid_twice = books::close(&system);
    let accounts = system.platform.accounts();
    promises.check_end(&system.payments.store, &accounts);

    totals.paid = accounts.values().filter(|one| one.came() > 0).count() as u64;
    totals.refunded = accounts.values().filter(|one| one.went_back() > 0).count() as u64;
    totals.taken_back = accounts.values().filter(|one| one.taken_back() > 0).count() as u64;
    let is_odd = |one: &&Account| one.story != Story::Usual;
    totals.odd = accounts.values().filter(is_odd).count() as u64;
    totals.events = system.payments.store.memory.events.lock().unwrap().len() as u64;
    let events = system.payments.store.memory.events.lock().unwrap();
    let count = |kind: EventKind| {
        let is_such = |event: &&Event| event.kind == kind;
        events.values().filter(is_such).count() as u64
    };
    totals.differences = count(EventKind::ReconciliationDifference);
    totals.expired = count(EventKind::CheckoutExpired);
    totals.awaiting_confirmation = count(EventKind::PaymentAwaitingConfirmation);
    totals.returned = count(EventKind::RefundReturned);
    totals.transitions = promises.transitions;
    totals.sends = world.sent_after(0).len() as u64;
    totals
}

/// The platform ends what it has begun, its messages come in any order, what is unpublished is sent, and
/// what is open or doubtful is asked about when it is due, a few times. Gives how often.
fn come_to_rest(system: &System, promises: &mut Promises) -> u64 {
    let world = &system.world;
    let polls_sent = || {
        let rows = system.payments.store.memory.rows.lock().unwrap();
        let polls = rows
            .values()
            .map(|row| u64::from(row.payment.polling().polls_sent()));
        polls.sum::<u64>()
    };
    let before = polls_sent();
    for _ in 0..6 {
        while !system.platform.is_done() {
            system.platform.act(true);
        }
        let mut waiting = system.platform.take_messages();
        while !waiting.is_empty() {
            let at = usize::try_from(world.below(waiting.len() as u64)).unwrap();
            let message = Rc::new(waiting.swap_remove(at));
            finish(system, &Job::Hear(message), promises);
        }
        // The clock may have gone back since something was left behind.
        world.pass(3_600_000);
        finish(system, &Job::SweepOutbox, promises);
        finish(system, &Job::ExpireAll, promises);
        let due = {
            let plans = system.payments.store.memory.plans.lock().unwrap();
            let polls = plans.values().filter_map(|next| match next {
                Next::Poll(at) => Some(*at),
                Next::Expire(_) | Next::Erase(_) | Next::Overdue(_) => None,
            });
            polls.max()
        };
        let Some(due) = due else { break };
        let wait = due.unix_millis() - world.now().unix_millis();
        world.pass(wait.max(0));
        finish(system, &Job::AskAll, promises);
    }
    polls_sent() - before
}

/// A payment from its creation to a refund, without faults but for one crash, after so many polls;
/// whoever crashed is begun again. Gives the number of polls.
pub fn usual(crash_at: Option<u64>) -> u64 {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::new(11);
    system.world.be_quiet();
    let mut promises = Promises::default();
    let mut polls = 0;
    let mut to_the_end = |job: Job| {
        let mut task = begin(&system, &job);
        loop {
            if Some(polls) == crash_at {
                polls += 1;
                // Long enough for a sale that was being sent to count as abandoned.
                system.world.pass(60_000);
                task = begin(&system, &job);
            }
            polls += 1;
            let done = poll(&mut task);
            promises.check(&system.payments.store);
            match done {
                Some(true) => return,
                Some(false) => panic!("failed though nothing goes wrong"),
                None => {}
            }
        }
    };
    to_the_end(Job::Create(1));
    while system.platform.accounts()["order-1"].status == "processing" {
        system.platform.act(true);
    }
    for message in system.platform.take_messages() {
        to_the_end(Job::Hear(Rc::new(message)));
    }
    to_the_end(Job::Refund(1, 1, Some(400)));
    while !system.platform.is_done() {
        system.platform.act(true);
    }
    for message in system.platform.take_messages() {
        to_the_end(Job::Hear(Rc::new(message)));
    }
    come_to_rest(&system, &mut promises);
    promises.check_end(&system.payments.store, &system.platform.accounts());
    polls
}

/// The queues are down for an hour, while so many payments go on. The callbacks are answered with
/// a failure and repeated, or never come again; then the relay finds what is unpublished.
pub fn outage(payments: u64) -> (u64, u64) {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::new(5);
    let world = &system.world;
    world.be_quiet();
    let mut promises = Promises::default();
    for number in 0..payments {
        drive(&system, &Job::Create(number), || {});
    }
    promises.check(&system.payments.store);
    for queue in 0..QUEUES {
        world.toggle(queue);
    }
    let mut callbacks = 0;
    let usual = payments * 4;
    let mut acts = 0;
    while acts < usual || !system.platform.is_done() {
        acts += 1;
        system.platform.act(acts > usual);
        world.pass(3_600_000 / i64::try_from(payments * 8).unwrap());
        for message in system.platform.take_messages() {
            let message = Rc::new(message);
            for _ in 0..1 + world.below(3) {
                callbacks += 1;
                let heard = drive(&system, &Job::Hear(message.clone()), || {});
                let rows = system.payments.store.memory.rows.lock().unwrap();
                let row = &rows[&key(&message.payment_id)];
                let all_sent = row.published == row.payment.sequence();
                assert!(
                    !heard || all_sent,
                    "answered as announced, with the queues down"
                );
            }
        }
    }
    promises.check(&system.payments.store);
    let unsent_of = |row: &Stored| row.payment.sequence() - row.published;
    let outbox: u64 = {
        let rows = system.payments.store.memory.rows.lock().unwrap();
        rows.values().map(unsent_of).sum()
    };
    for queue in 0..QUEUES {
        world.toggle(queue);
    }
    world.pass(1);
    assert!(drive(&system, &Job::SweepOutbox, || {}));
    promises.check_end(&system.payments.store, &system.platform.accounts());
    (callbacks, outbox)
}
