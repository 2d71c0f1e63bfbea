//! The days on which something became of a payment, by which the store can find it again.

use std::collections::BTreeSet;

use super::{Operation, Payment};
use crate::model::day::Day;

impl Payment {
    /// The day on which it became known here, and those on which its operations ended.
    pub fn days(&self) -> BTreeSet<Day> {
        let operations = self.reported.operations.values();
        let ends = operations.filter_map(Operation::ended_at);
        ends.chain([self.created_at]).map(Day::of).collect()
    }
}
