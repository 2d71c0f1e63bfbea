//! Defines the port for time and random numbers.

use std::future::Future;
use std::time::Duration;

use crate::model::timestamp::Timestamp;

/// A clock and a source of random numbers.
pub trait Clock {
    /// Returns the current time. It can be before a stored time, because clocks of different machines differ.
    fn now(&self) -> Timestamp;

    /// Waits for at least `duration`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Returns a random number from 0 to `end - 1`. Not suitable for secrets.
    fn random(&self, end: u64) -> u64;
}

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn random(&self, end: u64) -> u64 {
        getrandom::u64().unwrap_or(0) % end.max(1)
    }
}
