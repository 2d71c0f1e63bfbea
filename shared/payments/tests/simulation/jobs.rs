//! Runs jobs. A job is a call of a use case. A job runs step by step, can crash between two steps, and can be started
//! again.

use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::faults::Release;
use crate::invariants::Invariants;
use crate::platform::Message;
use crate::system::{System, in_an_hour, order_key};

/// Without faults, a job succeeds within this many tries.
const MAX_TRIES: usize = 10;

#[derive(Debug, Clone)]
pub enum Job {
    /// The number of the payment, as in all jobs with one number.
    Create(u64),
    CreateLink(u64),
    /// The payment, the number of the refund, and the amount.
    Refund(u64, u64, Option<u64>),
    Deliver(Rc<Message>),
    Poll(u64),
    PollAll,
    EraseAll,
    ExpireAll,
    /// The payment, and whether the operator releases the payment. If not, the operator rejects the payment.
    Review(u64, bool),
    ClarifyRefund(u64),
    /// The number of an operation at the platform, and whether the operation seems to be missing at the platform.
    Compare(u64, bool),
    SweepOutbox,
}

impl Job {
    /// Runs the job. Returns `false` if the job must be repeated.
    async fn run(self, system: &System) -> bool {
        match self {
            Job::Create(number) => system.create_payment(number, "gate").await,
            Job::CreateLink(number) => system.create_payment(number, "payment_page").await,
            Job::Refund(number, refund, amount) => {
                system.refund_payment(number, refund, amount).await
            }
            Job::Deliver(message) => system.deliver(&message).await,
            Job::Poll(number) => {
                let (key, now) = (order_key(number), system.now());
                system.poller().poll(&key, now).await.is_ok()
            }
            Job::PollAll => system.hand_out_and_poll().await,
            Job::EraseAll => system.sweeper().erase(in_an_hour()).await.failed == 0,
            Job::ExpireAll => system.sweeper().expire(in_an_hour()).await.failed == 0,
            Job::SweepOutbox => {
                let sweeper = system.sweeper();
                let run = sweeper.sweep_outbox(Duration::ZERO, in_an_hour());
                run.await.failed == 0
            }
            Job::Review(number, is_release) => system.review(number, is_release).await,
            Job::ClarifyRefund(number) => system.clarify_refund(number).await,
            Job::Compare(number, is_missing) => system.compare(number, is_missing).await,
        }
    }
}

pub struct Task<'a> {
    pub job: Job,
    system: &'a System,
    release: Release,
    running: Pin<Box<dyn Future<Output = bool> + 'a>>,
}

impl<'a> Task<'a> {
    pub fn start(system: &'a System, job: Job) -> Self {
        Task {
            release: system.behaviour().choose_release(),
            running: Box::pin(job.clone().run(system)),
            system,
            job,
        }
    }

    /// Runs the job to its next step. Returns the result of the job if the job has ended.
    pub fn step(&mut self) -> Option<bool> {
        let mut context = Context::from_waker(Waker::noop());
        self.system.behaviour().run_as(self.release);
        match self.running.as_mut().poll(&mut context) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }
}

/// Returns a runtime for the timers that the batch runs create. No timer ever fires.
pub fn timers() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

pub fn complete<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

/// Runs a job to its end. Returns `false` if the job must be repeated.
pub fn run_job(system: &System, job: Job) -> bool {
    let mut task = Task::start(system, job);
    loop {
        if let Some(done) = task.step() {
            return done;
        }
    }
}

/// Runs a job to its end while no faults happen, and checks the invariants after each step. A job that leaves many
/// events unpublished is started again, as the platform repeats a callback. Each try publishes some of the events.
pub fn run_without_faults(system: &System, job: Job, invariants: &mut Invariants) {
    for _ in 0..MAX_TRIES {
        let mut task = Task::start(system, job.clone());
        let done = loop {
            let done = task.step();
            invariants.check(system);
            if let Some(done) = done {
                break done;
            }
        };
        if done {
            return;
        }
    }
    panic!("the job failed {MAX_TRIES} times without a fault: {job:?}");
}
