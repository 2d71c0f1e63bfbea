//! Stores the action of each processed event of a payment.
//!
//! Consecutive sequence numbers with the same action form a run, and only the runs are stored. Therefore the stored
//! text is short: a thousand refunds need hardly more text than two refunds.

use std::fmt;

use crate::goods::Action;

/// The action of each processed event. DynamoDB stores a text such as `2 nothing, 3 ship, 4-1003 nothing, 1004
/// take_back`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actions(Vec<Run>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: u64,
    last: u64,
    action: Action,
}

impl Actions {
    /// Returns the action of an event; `None` if the event has not been processed.
    pub fn of(&self, sequence: u64) -> Option<Action> {
        let has = |run: &&Run| (run.first..=run.last).contains(&sequence);
        self.0.iter().find(has).map(|run| run.action)
    }

    /// Adds an event. The event must not have been processed before.
    pub fn add(&mut self, sequence: u64, action: Action) {
        let index = self.0.partition_point(|run| run.last < sequence);
        let run = Run {
            first: sequence,
            last: sequence,
            action,
        };
        self.0.insert(index, run);
        self.0.dedup_by(|next, run| {
            let joins = run.action == next.action && run.last.checked_add(1) == Some(next.first);
            if joins {
                run.last = next.last;
            }
            joins
        });
    }

    /// Parses the stored text. Returns `None` for a text that `Display` cannot write.
    pub fn parse(text: &str) -> Option<Self> {
        let runs: Vec<Run> = text.split(", ").map(Run::parse).collect::<Option<_>>()?;
        let ascend = |run: &Run, next: &Run| run.last < next.first;
        runs.is_sorted_by(ascend).then_some(Self(runs))
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs: Vec<String> = self.0.iter().map(Run::to_string).collect();
        f.write_str(&runs.join(", "))
    }
}

impl Run {
    fn parse(text: &str) -> Option<Self> {
        let (numbers, word) = text.split_once(' ')?;
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let run = Self {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            action: Action::parse(word)?,
        };
        (run.first <= run.last).then_some(run)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { first, last, .. } = self;
        let word = self.action.as_str();
        if first == last {
            write!(f, "{first} {word}")
        } else {
            write!(f, "{first}-{last} {word}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Hold, Nothing, Ship, TakeBack};

    fn actions(added: &[(u64, Action)]) -> Actions {
        let mut actions = Actions::default();
        for (sequence, action) in added {
            actions.add(*sequence, *action);
        }
        actions
    }

    #[test]
    fn each_processed_event_has_its_action_and_other_events_have_none() {
        let actions = actions(&[(7, TakeBack), (3, Ship), (4, Nothing), (6, Nothing)]);
        for (sequence, action) in [
            (2, None),
            (3, Some(Ship)),
            (4, Some(Nothing)),
            (5, None),
            (6, Some(Nothing)),
            (7, Some(TakeBack)),
            (u64::MAX, None),
        ] {
            assert_eq!(actions.of(sequence), action, "{sequence}");
        }
    }

    #[test]
    fn consecutive_numbers_with_the_same_action_become_one_run() {
        let order = [9, 4, 6, 5, 8, 3].map(|sequence| (sequence, Nothing));
        assert_eq!(actions(&order).to_string(), "3-6 nothing, 8-9 nothing");
        let mixed = [(5, Hold), (4, Nothing), (6, Nothing), (7, Nothing)];
        assert_eq!(
            actions(&mixed).to_string(),
            "4 nothing, 5 hold, 6-7 nothing"
        );
        let ends = [(u64::MAX, Nothing), (1, Nothing), (u64::MAX - 1, Nothing)];
        let written = format!("1 nothing, {}-{} nothing", u64::MAX - 1, u64::MAX);
        assert_eq!(actions(&ends).to_string(), written);
    }

    #[test]
    fn the_runs_are_the_same_for_every_order_of_additions() {
        // 211 and 1000 are coprime, so each of the numbers 0 to 999 occurs once.
        let order = |start: u64| (0..1000).map(move |step| (start + 211 * step) % 1000);
        let action = |sequence| if sequence % 100 == 3 { Hold } else { Nothing };
        let of = |order: &mut dyn Iterator<Item = u64>| {
            let added: Vec<_> = order.map(|sequence| (sequence, action(sequence))).collect();
            actions(&added)
        };
        let sorted = of(&mut (0..1000));
        // 10 events lead to a hold, each in its own run. The other events form 11 runs.
        assert_eq!(sorted.0.len(), 21);
        assert_eq!(of(&mut (0..1000).rev()), sorted);
        assert_eq!(of(&mut order(0)), sorted);
        assert_eq!(of(&mut order(500)), sorted);
    }

    #[test]
    fn actions_are_equal_after_writing_and_reading() {
        let all = [(1, Ship), (2, Hold), (3, Hold), (5, Nothing), (6, TakeBack)];
        let written = "1 ship, 2-3 hold, 5 nothing, 6 take_back";
        assert_eq!(actions(&all).to_string(), written);
        assert_eq!(Actions::parse(written), Some(actions(&all)));
    }

    #[test]
    fn a_text_that_display_cannot_write_is_not_parsed() {
        for text in [
            "",
            "3",
            "ship",
            "3 vanish",
            "3 ship,4 hold",
            "3 ship, ",
            "-3 ship",
            "3- ship",
            "5-4 nothing",
            "3-5 nothing, 5 ship",
            "4 ship, 3 nothing",
        ] {
            assert_eq!(Actions::parse(text), None, "{text}");
        }
    }
}
