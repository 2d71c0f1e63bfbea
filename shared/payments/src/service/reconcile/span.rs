//! Defines an interval of time, and its slices.

use std::time::Duration;

use crate::model::timestamp::Timestamp;

/// The maximum length of a slice.
const SLICE: Duration = Duration::from_secs(3_600);

/// A slice of at most this length is not split.
const MIN_SLICE: Duration = Duration::from_secs(60);

/// An interval of time, from `from` (inclusive) to `to` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The start.
    pub from: Timestamp,
    /// The end.
    pub to: Timestamp,
}

impl Span {
    /// Returns the slices of the interval, cut at whole hours.
    pub(crate) fn slices(self) -> impl Iterator<Item = Self> {
        let mut from = self.from;
        std::iter::from_fn(move || {
            let to = hour_of(from).after(SLICE).min(self.to);
            let slice = Self { from, to };
            from = to;
            (slice.from < slice.to).then_some(slice)
        })
    }

    /// Returns the halves, cut at a whole second; `None` if the interval is not longer than a minute.
    pub(super) fn halves(self) -> Option<[Self; 2]> {
        let length = self.to.since(self.from);
        let half = Duration::from_secs(length.as_secs() / 2);
        let middle = self.from.after(half);
        let halves = [(self.from, middle), (middle, self.to)].map(|(from, to)| Self { from, to });
        (length > MIN_SLICE).then_some(halves)
    }

    pub(crate) fn widened(self, margin: Duration) -> Self {
        Self {
            from: self.from.before(margin),
            to: self.to.after(margin),
        }
    }

    pub(crate) fn contains(self, time: Timestamp) -> bool {
        (self.from..self.to).contains(&time)
    }
}

fn hour_of(time: Timestamp) -> Timestamp {
    let hour = i64::try_from(SLICE.as_millis()).unwrap_or(i64::MAX);
    let millis = time.unix_millis();
    Timestamp::from_millis(millis - millis.rem_euclid(hour))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::of_platform(&format!("2026-11-{text}+0000")).unwrap()
    }

    fn slices(from: &str, to: &str) -> Vec<(Timestamp, Timestamp)> {
        let (from, to) = (at(from), at(to));
        let slices = Span { from, to }.slices();
        slices.map(|slice| (slice.from, slice.to)).collect()
    }

    #[test]
    fn an_interval_is_cut_at_whole_hours() {
        assert_eq!(
            slices("21T22:30:00", "22T00:00:01"),
            [
                (at("21T22:30:00"), at("21T23:00:00")),
                (at("21T23:00:00"), at("22T00:00:00")),
                (at("22T00:00:00"), at("22T00:00:01")),
            ]
        );
        assert_eq!(slices("21T00:00:00", "22T00:00:00").len(), 24);
    }

    #[test]
    fn an_empty_interval_has_no_slices() {
        assert!(slices("21T00:00:00", "21T00:00:00").is_empty());
        assert!(slices("22T00:00:00", "21T00:00:00").is_empty());
    }

    #[test]
    fn an_interval_of_more_than_a_minute_has_two_halves_of_whole_seconds() {
        let span = |from, to| Span {
            from: at(from),
            to: at(to),
        };
        let cut = |from, to| {
            let halves = span(from, to).halves();
            halves.map(|halves| halves.map(|half| (half.from, half.to)))
        };
        let middle = at("21T00:30:30");
        let expected = [(at("21T00:00:00"), middle), (middle, at("21T01:01:01"))];
        assert_eq!(cut("21T00:00:00", "21T01:01:01"), Some(expected));
        assert_eq!(cut("21T00:00:00", "21T00:01:00"), None);
    }

    #[test]
    fn a_slice_contains_its_start_and_not_its_end() {
        let (from, to) = (at("21T22:00:00"), at("21T23:00:00"));
        let slice = Span { from, to };
        assert!(slice.contains(from) && !slice.contains(to));
        assert!(slice.contains(to.before(Duration::from_millis(1))));
    }
}
