//! Makes one random run. The run starts jobs, runs each job step by step, crashes some jobs and repeats others. The
//! seed determines the run.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use payments::events::EventKind;
use payments::model::schedule::Next;
use payments::model::{GateRequest, Status};
use payments::ports::{Clock, Stored};

use crate::daily_report;
use crate::faults::QUEUES;
use crate::invariants::Invariants;
use crate::jobs::{Job, Task, run_without_faults, timers};
use crate::platform::{Message, Scenario};
use crate::system::{System, order_key};

const PAYMENTS: u64 = 3;

/// The cases that occurred in one or more runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub counts: BTreeMap<&'static str, u64>,
    pub transitions: BTreeSet<(Status, Status)>,
}

impl Totals {
    pub fn add(&mut self, other: Totals) {
        for (name, count) in other.counts {
            self.count(name, count);
        }
        self.transitions.extend(other.transitions);
    }

    pub fn count(&mut self, name: &'static str, count: u64) {
        *self.counts.entry(name).or_default() += count;
    }

    /// Counts the accounts of the platform and the events of the system at the end of a run.
    fn count_end(&mut self, system: &System) {
        for account in system.platform.accounts().values() {
            self.count("paid", (account.paid() > 0).into());
            self.count("refunded", (account.refunded() > 0).into());
            self.count("refunds taken back", (account.taken_back() > 0).into());
            self.count("unusual", (account.scenario != Scenario::Usual).into());
        }
        let tables = system.tables();
        for (name, kind) in [
            ("differences", EventKind::ReconciliationDifference),
            ("expired", EventKind::CheckoutExpired),
            (
                "awaiting confirmation",
                EventKind::PaymentAwaitingConfirmation,
            ),
            ("returned", EventKind::RefundReturned),
        ] {
            let events = tables.events.values().filter(|event| event.kind == kind);
            self.count(name, events.count() as u64);
        }
        self.count("events", tables.events.len() as u64);
        for queue in &system.payments.queues {
            self.count("sends", queue.sent().len() as u64);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// All kinds of jobs.
    Usual,
    /// All kinds of jobs, but more refunds with more refund ids.
    Refunds,
    /// All kinds of jobs on both channels. Another system uses the ids of some of our payments.
    Foreign,
    /// All kinds of jobs, of this release and of the next release.
    TwoReleases,
}

/// In a run with [`Mix::Foreign`], another system makes these payments before the first step. A payment with an odd
/// number has a Payment Page link.
const FOREIGN_BEFORE: [u64; 2] = [0, 1];
/// In a run with [`Mix::Foreign`], another system makes this payment after Gate refused our sale.
const FOREIGN_AFTER: u64 = 2;
/// In a run with [`Mix::Foreign`], the shopper pays this payment by our link.
const LINK: u64 = 3;

struct Run<'a> {
    system: &'a System,
    mix: Mix,
    tasks: Vec<Task<'a>>,
    /// The callbacks that wait to be delivered. Some callbacks were already delivered once.
    waiting: Vec<Rc<Message>>,
    totals: Totals,
}

pub fn run(seed: u64, mix: Mix) -> Totals {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::with_seed(seed);
    if mix == Mix::TwoReleases {
        system.behaviour().use_two_releases();
    }
    let mut invariants = Invariants::default();
    if mix == Mix::Foreign {
        for number in FOREIGN_BEFORE {
            let payment_id = format!("order-{number}");
            system.platform.start_payment(payment_id, Scenario::Foreign);
        }
        system.clock().pass(Duration::from_secs(1_800));
    }
    let mut run = Run {
        system: &system,
        mix,
        tasks: Vec::new(),
        waiting: Vec::new(),
        totals: Totals::default(),
    };
    for number in 0..600 {
        if number % 100 == 0 {
            system.behaviour().change_shares();
        }
        run.step();
        invariants.check(&system);
    }
    let mut totals = run.end_without_faults(&mut invariants);
    totals.count("polls", settle(&system, &mut invariants));
    if system.behaviour().end_rollout() {
        settle(&system, &mut invariants);
    }
    if mix != Mix::Foreign {
        totals.count("paid twice", daily_report::check(&system));
    }
    invariants.check_end(&system);
    totals.count_end(&system);
    if mix == Mix::Foreign {
        for account in system.platform.accounts().values() {
            let is_foreign = account.scenario == Scenario::Foreign;
            totals.count("foreign", (is_foreign && account.paid() > 0).into());
        }
    }
    if let Some(counts) = system.behaviour().release_counts() {
        totals.count("writes of the next release", counts.by_next);
        totals.count("writes of this release", counts.by_this);
        totals.count("writes over the next release", counts.over_next);
        totals.count("writes over unknown words", counts.over_unknown_words);
    }
    totals.transitions = invariants.transitions;
    totals
}

impl Run<'_> {
    fn choose(&self, end: u64) -> u64 {
        self.system.clock().random(end)
    }

    fn choose_index(&self, length: usize) -> usize {
        usize::try_from(self.choose(length as u64)).unwrap()
    }

    fn step(&mut self) {
        self.totals.count("steps", 1);
        let number = match self.mix {
            Mix::Refunds if self.choose(3) == 0 => 1,
            _ => self.choose(20),
        };
        match self.job(number) {
            Some(job) => self.tasks.push(Task::start(self.system, job)),
            None => self.other_step(number),
        }
        let messages = self.system.platform.take_messages();
        self.waiting.extend(messages.into_iter().map(Rc::new));
    }

    fn job(&mut self, step: u64) -> Option<Job> {
        Some(match step {
            0 => return self.create(),
            1 => {
                let amounts = [None, Some(1 + self.choose(600))];
                let amount = amounts[self.choose_index(2)];
                let ids = if self.mix == Mix::Refunds { 12 } else { 4 };
                let refund = self.choose(ids);
                self.totals.count("refund attempts", 1);
                Job::Refund(self.choose(PAYMENTS), refund, amount)
            }
            4 | 5 if !self.waiting.is_empty() => {
                let index = self.choose_index(self.waiting.len());
                Job::Deliver(match self.choose(3) {
                    0 => self.waiting[index].clone(),
                    _ => self.waiting.swap_remove(index),
                })
            }
            6 if self.choose(4) == 0 => Job::Poll(self.choose(PAYMENTS)),
            6 if self.choose(4) == 0 => Job::PollAll,
            6 if self.choose(4) == 0 => Job::ExpireAll,
            6 if self.choose(4) == 0 => Job::Review(self.choose(PAYMENTS), self.choose(2) == 0),
            6 => Job::ClarifyRefund(self.choose(PAYMENTS)),
            7 if self.choose(4) == 0 => Job::SweepOutbox,
            7 if self.choose(4) == 0 => Job::Compare(self.choose(100), self.choose(4) == 0),
            _ => return None,
        })
    }

    /// Returns the job that creates a payment, starts its next attempt or repeats its sale.
    fn create(&self) -> Option<Job> {
        if self.mix != Mix::Foreign {
            return Some(Job::Create(self.choose(PAYMENTS)));
        }
        match self.choose(PAYMENTS + 1) {
            // A further attempt could get no clear answer. If Gate then refused the repeat with the code 3041, this
            // code would not show whose payment exists.
            FOREIGN_AFTER if self.is_foreign(FOREIGN_AFTER) => None,
            number if number % 2 == 1 => Some(Job::CreateLink(number)),
            number => Some(Job::Create(number)),
        }
    }

    fn is_foreign(&self, number: u64) -> bool {
        let accounts = self.system.platform.accounts();
        let account = accounts.get(&format!("order-{number}"));
        account.is_some_and(|account| account.scenario == Scenario::Foreign)
    }

    /// Starts a payment of another system after Gate refused our sale, and a payment by our link.
    fn start_payments(&self) {
        let (platform, tables) = (&self.system.platform, self.system.tables());
        let payment = |number| tables.payments.get(&order_key(number));
        let is_refused = |stored: &Stored| {
            let request = stored.payment.attempt().request();
            matches!(request, GateRequest::Refused { .. })
        };
        let is_creating = |task: &Task<'_>| matches!(task.job, Job::Create(FOREIGN_AFTER));
        if payment(FOREIGN_AFTER).is_some_and(is_refused) && !self.tasks.iter().any(is_creating) {
            platform.start_payment(format!("order-{FOREIGN_AFTER}"), Scenario::Foreign);
        }
        let is_unused = |stored: &Stored| stored.payment.has_unused_link();
        if payment(LINK).is_some_and(is_unused) {
            platform.start_payment(format!("order-{LINK}"), Scenario::Usual);
        }
    }

    fn other_step(&mut self, step: u64) {
        if self.mix == Mix::Foreign && self.choose(20) == 0 {
            self.start_payments();
        }
        let (platform, clock) = (&self.system.platform, self.system.clock());
        match step {
            2 | 3 => platform.act(false),
            7 if self.choose(20) == 0 => platform.pay_by_dashboard_link(self.choose(2)),
            8 if self.choose(8) == 0 => {
                let queue = self.choose_index(QUEUES.len());
                self.system.behaviour().toggle(queue);
            }
            9 => match self.choose(40) {
                // This time is long enough for a checkout to expire.
                0 => clock.move_by(1_800_000),
                _ => clock.move_by(i64::try_from(self.choose(120_000)).unwrap() - 10_000),
            },
            _ if !self.tasks.is_empty() => self.step_task(),
            _ => {}
        }
    }

    /// Runs a task to its next step, or crashes the task.
    fn step_task(&mut self) {
        let index = self.choose_index(self.tasks.len());
        let is_crash = self.choose(40) == 0;
        let done = match is_crash {
            true => Some(false),
            false => self.tasks[index].step(),
        };
        let Some(done) = done else { return };
        self.totals.count("crashes", u64::from(is_crash));
        self.totals.count("failures", u64::from(!done));
        let task = self.tasks.swap_remove(index);
        if let (Job::Deliver(message), false) = (task.job, done) {
            self.waiting.push(message);
        }
    }

    /// Stops the faults and delivers all callbacks that are not acknowledged. All running tasks crash.
    fn end_without_faults(mut self, invariants: &mut Invariants) -> Totals {
        self.system.behaviour().stop();
        for task in self.tasks {
            if let Job::Deliver(message) = task.job {
                self.waiting.push(message);
            }
        }
        while let Some(message) = self.waiting.pop() {
            run_without_faults(self.system, Job::Deliver(message), invariants);
        }
        self.totals
    }
}

/// Ends every operation at the platform, delivers the callbacks in random order, and runs the sweeper. While polls are
/// planned, repeats these steps, at most five times. Returns the number of polls.
pub fn settle(system: &System, invariants: &mut Invariants) -> u64 {
    let polls_sent = || {
        let tables = system.tables();
        let payments = tables.payments.values().map(|stored| &stored.payment);
        let polls = payments.map(|payment| u64::from(payment.polling().polls_sent()));
        polls.sum::<u64>()
    };
    let before = polls_sent();
    for _ in 0..6 {
        system.platform.finish();
        let mut waiting = system.platform.take_messages();
        while !waiting.is_empty() {
            let index = usize::try_from(system.clock().random(waiting.len() as u64)).unwrap();
            let message = Rc::new(waiting.swap_remove(index));
            run_without_faults(system, Job::Deliver(message), invariants);
        }
        // The clock can have moved backwards since an event was left in the outbox.
        system.clock().pass(Duration::from_secs(3_600));
        run_without_faults(system, Job::SweepOutbox, invariants);
        run_without_faults(system, Job::ExpireAll, invariants);
        let last_poll = {
            let tables = system.tables();
            let polls = tables.next.values().filter_map(|next| match next {
                Next::Poll(at) => Some(*at),
                Next::Expire(_) | Next::Erase(_) | Next::Overdue(_) => None,
            });
            polls.max()
        };
        let Some(last_poll) = last_poll else { break };
        system.clock().pass(last_poll.since(system.now()));
        run_without_faults(system, Job::PollAll, invariants);
    }
    polls_sent() - before
}
