//! Which events of a payment were taken, by their numbers, and what followed from each.
//!
//! Kept as runs of numbers with the same action: nearly everything after the shipment leads to
//! nothing, so a payment with a thousand refunds stays as small as one with two.

use std::fmt;

/// An instruction to the warehouse. The last one for a payment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send the goods; after a hold: go on.
    Ship,
    /// The money is gone: stop the goods, or get them back.
    TakeBack,
    /// Somebody must look first; stop the goods if they are still here.
    Hold,
    /// Nothing to do.
    Nothing,
}

impl Action {
    const ALL: [Action; 4] = [
        Action::Ship,
        Action::TakeBack,
        Action::Hold,
        Action::Nothing,
    ];

    /// The word in the table and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Ship => "ship",
            Action::TakeBack => "take_back",
            Action::Hold => "hold",
            Action::Nothing => "nothing",
        }
    }
}

/// What followed from each event. As text, and so in the table:
/// `2 nothing, 3 ship, 4-1003 nothing, 1004 take_back`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actions(Vec<Run>);

/// Numbers without a gap, all with one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: u64,
    last: u64,
    action: Action,
}

impl Actions {
    /// What followed from an event; `None` if it was not taken yet.
    pub fn of(&self, sequence: u64) -> Option<Action> {
        let has = |run: &&Run| (run.first..=run.last).contains(&sequence);
        self.0.iter().find(has).map(|run| run.action)
    }

    /// Adds an event that was not taken yet.
    pub fn add(&mut self, sequence: u64, action: Action) {
        let place = self.0.partition_point(|run| run.last < sequence);
        let run = Run {
            first: sequence,
            last: sequence,
            action,
        };
        self.0.insert(place, run);
        self.0.dedup_by(|next, run| {
            let joins = run.action == next.action && run.last.checked_add(1) == Some(next.first);
            if joins {
                run.last = next.last;
            }
            joins
        });
    }

    /// Reads the text of actions.
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
            action: Action::ALL
                .into_iter()
                .find(|action| action.as_str() == word)?,
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
    fn each_event_has_its_own_action() {
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
    fn numbers_that_follow_each_other_with_one_action_become_one_run() {
        let order = [9, 4, 6, 5, 8, 3].map(|sequence| (sequence, Nothing));
        assert_eq!(actions(&order).to_string(), "3-6 nothing, 8-9 nothing");
        let story = [(5, Hold), (4, Nothing), (6, Nothing), (7, Nothing)];
        assert_eq!(
            actions(&story).to_string(),
            "4 nothing, 5 hold, 6-7 nothing"
        );
        let ends = [(u64::MAX, Nothing), (1, Nothing), (u64::MAX - 1, Nothing)];
        let written = format!("1 nothing, {}-{} nothing", u64::MAX - 1, u64::MAX);
        assert_eq!(actions(&ends).to_string(), written);
    }

    #[test]
    fn the_order_in_which_events_are_added_does_not_matter() {
        // 211 and 1000 have no common divisor, so that each number comes once.
        let order = |start: u64| (0..1000).map(move |step| (start + 211 * step) % 1000);
        let action = |sequence| if sequence % 100 == 3 { Hold } else { Nothing };
        let of = |order: &mut dyn Iterator<Item = u64>| {
            let added: Vec<_> = order.map(|sequence| (sequence, action(sequence))).collect();
            actions(&added)
        };
        let sorted = of(&mut (0..1000));
        assert_eq!(sorted.0.len(), 21);
        assert_eq!(of(&mut (0..1000).rev()), sorted);
        assert_eq!(of(&mut order(0)), sorted);
        assert_eq!(of(&mut order(500)), sorted);
    }

    #[test]
    fn actions_survive_being_written() {
        let all = [(1, Ship), (2, Hold), (3, Hold), (5, Nothing), (6, TakeBack)];
        let written = "1 ship, 2-3 hold, 5 nothing, 6 take_back";
        assert_eq!(actions(&all).to_string(), written);
        assert_eq!(Actions::parse(written), Some(actions(&all)));
    }

    #[test]
    fn text_that_somebody_has_changed_is_not_guessed_at() {
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
