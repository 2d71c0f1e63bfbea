//! Jobs: calls of use cases that run step by step, can crash between two steps, and can be started again.

use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::invariants::Invariants;
use crate::platform::Message;
use crate::system::System;

#[derive(Clone)]
pub enum Job {
    Create(u64),
    CreateLink(u64),
    Refund(u64, u64, Option<u64>),
    Deliver(Rc<Message>),
    Poll(u64),
    PollAll,
    EraseAll,
    ExpireAll,
    Review(u64, bool),
    ClarifyRefund(u64),
    Compare(u64, bool),
    SweepOutbox,
}

/// A job that was started. Its output tells whether the job need not be repeated.
pub struct Task<'a> {
    pub job: Job,
    running: Pin<Box<dyn Future<Output = bool> + 'a>>,
}

impl<'a> Task<'a> {
    pub fn start(system: &'a System, job: Job) -> Self {
        let running: Pin<Box<dyn Future<Output = bool> + 'a>> = match job.clone() {
            Job::Create(number) => Box::pin(system.create_payment(number, "gate")),
            Job::CreateLink(number) => Box::pin(system.create_payment(number, "payment_page")),
            Job::Refund(number, refund, amount) => {
                Box::pin(system.refund_payment(number, refund, amount))
            }
            Job::Deliver(message) => Box::pin(async move { system.deliver(&message).await }),
            Job::Poll(number) => Box::pin(system.poll(number)),
            Job::PollAll => Box::pin(system.poll_all()),
            Job::EraseAll => Box::pin(system.erase_all()),
            Job::ExpireAll => Box::pin(system.expire_all()),
            Job::Review(number, is_release) => Box::pin(system.review(number, is_release)),
            Job::ClarifyRefund(number) => Box::pin(system.clarify_refund(number)),
            Job::Compare(number, is_missing) => Box::pin(system.compare(number, is_missing)),
            Job::SweepOutbox => Box::pin(system.sweep_outbox()),
        };
        Task { job, running }
    }

    /// Runs the job to its next step.
    pub fn step(&mut self) -> Option<bool> {
        let mut context = Context::from_waker(Waker::noop());
        match self.running.as_mut().poll(&mut context) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }
}

/// A runtime whose timers the batch runs create. No timer ever fires.
pub fn timers() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

/// Polls a future until it is ready.
pub fn complete<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

/// Runs a job to its end. Returns whether it need not be repeated.
pub fn run_job(system: &System, job: Job) -> bool {
    complete(Task::start(system, job).running)
}

/// Runs a job to its end while no faults happen, and checks the invariants after each step.
pub fn run_without_faults(system: &System, job: Job, invariants: &mut Invariants) {
    let mut task = Task::start(system, job);
    loop {
        let done = task.step();
        invariants.check(system);
        if let Some(done) = done {
            assert!(done, "failed without a fault");
            return;
        }
    }
}
