//! The days on which something became of a payment, by which the store can find it again.

use std::collections::BTreeSet;

use super::{Operation, Payment};
use crate::day::Day;
use crate::timestamp::Timestamp;

impl Operation {
    /// When it was reported as ended, by the platform's clock; `None` while it is pending, or if
    /// its date cannot be read.
    pub fn ended_at(&self) -> Option<Timestamp> {
        let is_final = self.outcome.is_final();
        is_final.then(|| Timestamp::of_platform(&self.news.0))?
    }
}

impl Payment {
    /// The day on which we first heard of it, and those on which its operations ended.
    pub fn days(&self) -> BTreeSet<Day> {
        let ends = self.operations.values().filter_map(Operation::ended_at);
        ends.chain([self.created_at]).map(Day::of).collect()
    }
}
