//! Implements a clock that moves only when a test moves it or when the code under test sleeps. The clock derives its
//! random numbers from a seed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use payments::Timestamp;
use payments::ports::Clock;

/// Random numbers from a seed (SplitMix64).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[derive(Debug)]
struct State {
    /// Milliseconds of Unix time.
    now: i64,
    random: Random,
}

#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<State>>);

impl TestClock {
    /// Starts on 2027-01-15 at 08:00:00 UTC.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: 1_800_000_000_000,
            random: Random(seed),
        })))
    }

    pub fn set(&self, now: Timestamp) {
        self.0.lock().unwrap().now = now.unix_millis();
    }

    pub fn pass(&self, time: Duration) {
        self.move_by(i64::try_from(time.as_millis()).unwrap());
    }

    /// Moves the clock, backwards if `millis` is negative.
    pub fn move_by(&self, millis: i64) {
        self.0.lock().unwrap().now += millis;
    }

    /// Yields to other tasks at most twice.
    pub async fn step(&self) {
        for _ in 0..self.random(3) {
            tokio::task::yield_now().await;
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.lock().unwrap().now)
    }

    async fn sleep(&self, duration: Duration) {
        self.pass(duration);
        self.step().await;
    }

    fn random(&self, end: u64) -> u64 {
        self.0.lock().unwrap().random.next() % end
    }
}
