//! Limits the dates in a report. The dates are the platform's. A date *in the future* is later than the arrival of the
//! report by more than the possible difference of the clocks. Such a date is wrong, and would make the report the
//! newest for ever.
//!
//! Therefore an *estimated* date replaces a date in the future: the time of the arrival plus the possible difference. A
//! signed answer that arrives later shows the present state. So the answer is newer, whatever its dates are, and
//! removes the estimated dates.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ecommpay::operation::Outcome;
use ecommpay::report::Report;
use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::model::payment::Payment;
use crate::model::quarantine::MAX_CLOCK_DIFFERENCE;
use crate::model::serde_skip::is_default;
use crate::model::timestamp::{Timestamp, millis};

/// The maximum number of stored callbacks. The callbacks that arrived first are dropped.
const MAX_CALLBACKS: usize = 100;

/// The length of a date in the platform's form. If two dates in UTC have this length, the order of their texts is the
/// order of the times.
const DATE_LENGTH: usize = "2019-07-02T07:16:46+0000".len();

/// The reports with a date in the future.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FutureDates {
    /// The callbacks, by the start of the digest of the canonical string. A repeated callback would have another
    /// estimated date. Therefore only its first arrival counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    callbacks: BTreeMap<String, Arrival>,
    /// When the last signed answer with a date in the future arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Arrival>,
}

/// When a report arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
struct Arrival(#[serde(with = "millis")] Timestamp);

impl FutureDates {
    pub(super) fn has_callback(&self, digest: &str) -> bool {
        self.callbacks.contains_key(digest)
    }

    pub(super) fn add_callback(&mut self, digest: &str, at: Timestamp) {
        self.callbacks.insert(digest.to_owned(), Arrival(at));
        if self.callbacks.len() > MAX_CALLBACKS {
            let arrivals = self.callbacks.iter().map(|(digest, at)| (*at, digest));
            let first = arrivals.min().map(|(_, digest)| digest.clone());
            first.and_then(|first| self.callbacks.remove(&first));
        }
    }

    pub(super) fn add_answer(&mut self, at: Timestamp) {
        self.answer = Some(Arrival(at));
    }

    /// Returns the estimated dates of the reports that arrived before a time.
    fn estimated_before(&self, at: Timestamp) -> BTreeSet<String> {
        let arrivals = self.callbacks.values().chain(&self.answer);
        let earlier = arrivals.filter(|arrival| arrival.0 < at);
        earlier.map(|arrival| latest_date(arrival.0)).collect()
    }
}

/// Returns the latest possible date of a report that arrives at this time.
pub(super) fn latest_date(at: Timestamp) -> String {
    at.after(MAX_CLOCK_DIFFERENCE).to_platform()
}

/// A report with usable dates.
pub(super) struct Limited<'a> {
    pub(super) report: Cow<'a, Report>,
    /// Whether a date is estimated.
    pub(super) is_estimated: bool,
}

/// Converts the dates of a report to UTC, and replaces the dates after `latest`. A creation date after `latest` is
/// removed instead.
pub(super) fn limited<'a>(report: &'a Report, latest: &str) -> Limited<'a> {
    let operations = report.operations.iter();
    let of_operations = operations.flat_map(|one| [&one.date, &one.created_date]);
    let mut dates = of_operations.chain([&report.payment_date]).flatten();
    if dates.all(|date| is_usual(date, latest)) {
        return Limited {
            report: Cow::Borrowed(report),
            is_estimated: false,
        };
    }
    let mut report = report.clone();
    let mut is_estimated = false;
    let mut limit = |date: &mut Option<String>| {
        let is_late = date.as_mut().is_some_and(|date| limit_date(date, latest));
        is_estimated |= is_late;
        is_late
    };
    limit(&mut report.payment_date);
    for operation in &mut report.operations {
        limit(&mut operation.date);
        if limit(&mut operation.created_date) {
            operation.created_date = None;
        }
    }
    Limited {
        report: Cow::Owned(report),
        is_estimated,
    }
}

/// Whether a date is in the usual form and not after `latest`, so that it need not be parsed.
fn is_usual(date: &str, latest: &str) -> bool {
    date.len() == DATE_LENGTH && date.ends_with("+0000") && date <= latest
}

/// Converts a date to UTC. If the date is after `latest`, replaces the date by `latest` and returns true. A date that
/// cannot be parsed is compared as text.
fn limit_date(date: &mut String, latest: &str) -> bool {
    if is_usual(date, latest) {
        return false;
    }
    if let Some(time) = Timestamp::of_platform(date) {
        *date = time.to_platform();
    }
    let is_late = date.as_str() > latest;
    if is_late {
        *date = latest.to_owned();
    }
    is_late
}

impl Payment {
    /// Removes the estimated dates of all reports that arrived before a signed answer. These reports then count as
    /// older than any report with a date. The time at which an operation ended stays.
    pub(super) fn remove_estimated_dates(&mut self, answered_at: Timestamp) {
        if is_default(&self.reported.future_dates) {
            return;
        }
        let estimated = self.reported.future_dates.estimated_before(answered_at);
        let remove = |date: &mut String| {
            if estimated.contains(date) {
                date.clear();
            }
        };
        for operation in self.reported.operations.values_mut() {
            operation.edit_dates(remove);
        }
        if let Some(sum) = &mut self.reported.sums.newest_signed {
            sum.edit_dates(remove);
        }
        if let Some(status) = &mut self.reported.status {
            remove(&mut status.date);
        }
        if let Some(answer) = &mut self.reported.newest_answer {
            remove(&mut answer.date);
        }
    }
}

impl Operation {
    /// Edits the dates that order the reports. Does not edit the first date of a final report. Also does not edit the
    /// dates of a redirect or a clarification request, because these dates identify the redirect or the request.
    fn edit_dates(&mut self, edit: impl Fn(&mut String) + Copy) {
        if let Some(pending) = &mut self.pending {
            pending.order.edit_dates(edit);
        }
        // In a final report, `Pending` stands for a word that only a newer release knows. If this report were edited,
        // the stored word would be lost (`document/merge.rs`).
        let finals = self.finals.iter_mut();
        for report in finals.filter(|report| report.outcome != Outcome::Pending) {
            let first_date = report.first_date().to_owned();
            report.order.edit_dates(edit);
            report.first_date = (first_date != report.order.dates().0).then_some(first_date);
        }
        self.sort_finals();
        if let Some(status) = &mut self.payment_status {
            status.edit_dates(edit);
        }
        if let Some(sum) = &mut self.payment_sum {
            sum.edit_dates(edit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATEST: &str = "2019-07-02T09:43:20+0000";

    #[test]
    fn a_date_after_the_latest_date_is_replaced_and_any_other_date_is_converted_to_utc() {
        for (date, expected, is_late) in [
            ("2019-07-02T09:43:20+0000", LATEST, false),
            ("2019-07-02T09:43:21+0000", LATEST, true),
            ("2099-01-01T00:00:00+0000", LATEST, true),
            ("+2099-01-01T00:00:00+0000", LATEST, true),
            // Another time zone.
            ("2019-07-02T11:43:20+0200", LATEST, false),
            ("2019-07-02T11:43:21+0200", LATEST, true),
            ("2019-07-02T01:00:00-0900", LATEST, true),
            // A date in another form is compared as text.
            ("2099-01-01", LATEST, true),
            ("tomorrow", LATEST, true),
            ("2019-07-01", "2019-07-01", false),
            ("000012", "000012", false),
            ("", "", false),
        ] {
            let mut limited = date.to_owned();
            assert_eq!(limit_date(&mut limited, LATEST), is_late, "{date}");
            assert_eq!(limited, expected, "{date}");
        }
    }
}
