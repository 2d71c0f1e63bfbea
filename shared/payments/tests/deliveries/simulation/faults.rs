//! Makes random faults. The same seed causes the same faults.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll};

use payments::ports::Clock;

use crate::fakes::clock::TestClock;

#[derive(Debug)]
pub struct Faults {
    pub clock: TestClock,
    stopped: AtomicBool,
}

impl Faults {
    pub fn new(clock: TestClock) -> Self {
        Self {
            clock,
            stopped: AtomicBool::new(false),
        }
    }

    pub fn stop(&self) {
        self.stopped.store(true, SeqCst);
    }

    /// Returns whether a fault with the probability 1 in `one_in` happens.
    pub fn happens(&self, one_in: u64) -> bool {
        !self.stopped.load(SeqCst) && self.clock.random(one_in) == 0
    }

    /// Runs a function that can crash at any point. Returns `None` after a crash.
    pub async fn run<F: Future>(&self, function: F) -> Option<F::Output> {
        let polls = match self.happens(8) {
            true => self.clock.random(25),
            false => u64::MAX,
        };
        let function = pin!(function);
        CrashAfter { function, polls }.await
    }
}

/// Drops a future after a number of polls.
struct CrashAfter<'a, F> {
    function: Pin<&'a mut F>,
    polls: u64,
}

impl<F: Future> Future for CrashAfter<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.function.as_mut().poll(context).map(Some)
    }
}
