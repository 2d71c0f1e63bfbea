//! Holds the polling state of a payment: the last activity, and the status requests that were sent.

use serde::{Deserialize, Serialize};

use super::serde_skip::is_default;
use super::timestamp::Timestamp;

/// The polling state of a payment.
///
/// Status requests are numbered, because the answer to a status request shows only what had happened before the
/// request. An *activity* is a request of ours after which a report is expected soon, or the start of a recheck.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polling {
    /// The count of status requests that were sent, which is also the number of the last request.
    #[serde(default, skip_serializing_if = "is_default")]
    polls_sent: u32,
    /// The number of the last status request whose answer was a signed report.
    #[serde(default, skip_serializing_if = "is_default")]
    last_answered: u32,
    /// The number of the last status request whose answer was "not found", signed or not.
    #[serde(default, skip_serializing_if = "is_default")]
    last_not_found: u32,
    /// The number of the last status request whose answer was a signed "not found".
    #[serde(default, skip_serializing_if = "is_default")]
    last_signed_not_found: u32,
    /// The count of scheduled status requests since the last activity, without the poll for a lost redirect URL.
    #[serde(default, skip_serializing_if = "is_default")]
    polls_since_activity: u32,
    /// The time of the last activity or of the last scheduled status request, whichever is later. `None` if the payment
    /// needs no polls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_activity_at: Option<Timestamp>,
    /// `None` if nothing needs a recheck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recheck: Option<Recheck>,
}

/// A need for a recheck: a signed answer must decide what callbacks alone cannot decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Recheck {
    /// Only the answer to a status request with a number greater than this number can end the recheck.
    polls_before: u32,
    /// The time since which a recheck is needed.
    since: Timestamp,
}

/// Changes.
impl Polling {
    /// Restarts the schedule with the first delay, because of an activity. Changes nothing if the first scheduled poll
    /// after the last activity is not sent yet. A restart would only delay this poll.
    pub(crate) fn restart(&mut self, at: Timestamp) {
        if self.polls_since_activity > 0 || self.last_activity_at.is_none() {
            (self.polls_since_activity, self.last_activity_at) = (0, Some(at));
        }
    }

    /// Makes an immediate status request due. Changes nothing if an immediate status request is due already, so that a
    /// repeated report changes nothing.
    pub(crate) fn request_recheck(&mut self, at: Timestamp) {
        if self.is_recheck_due() {
            return;
        }
        self.recheck = Some(Recheck {
            polls_before: self.polls_sent,
            since: self.recheck.map_or(at, |recheck| recheck.since),
        });
        (self.polls_since_activity, self.last_activity_at) = (0, Some(at));
    }

    /// Applies the signed answer to the status request `poll`. A recheck that was requested after this status request
    /// stays. If the answer leaves something undecided, a recheck is needed until an answer decides.
    pub(crate) fn update_recheck(&mut self, poll: u32, is_decided: bool, at: Timestamp) {
        let requested_later = self.recheck.filter(|recheck| recheck.polls_before >= poll);
        self.recheck = match is_decided {
            true => requested_later,
            false => requested_later.or(Some(Recheck {
                polls_before: poll.saturating_sub(1),
                since: self.recheck.map_or(at, |recheck| recheck.since),
            })),
        };
    }

    /// Ends the recheck, although no answer has decided.
    pub(crate) fn cancel_recheck(&mut self) {
        self.recheck = None;
    }

    /// Counts a status request, scheduled or sent by hand.
    pub(crate) fn count_poll(&mut self) {
        self.polls_sent = self.polls_sent.saturating_add(1);
    }

    /// Records that a scheduled status request is sent. If this request is a step of the schedule, the next request
    /// waits for the next delay. A poll for a lost redirect URL is no step: the same delay starts again.
    pub(crate) fn advance_schedule(&mut self, is_step: bool, at: Timestamp) {
        if is_step {
            self.polls_since_activity = self.polls_since_activity.saturating_add(1);
        }
        self.last_activity_at = Some(at);
    }

    /// Records that the status request `poll` was answered with a signed report.
    pub(crate) fn record_answer(&mut self, poll: u32) {
        self.last_answered = self.last_answered.max(poll);
    }

    /// Records that the status request `poll` was answered "not found".
    pub(crate) fn record_not_found(&mut self, poll: u32, signed: bool) {
        self.last_not_found = self.last_not_found.max(poll);
        if signed {
            self.last_signed_not_found = self.last_signed_not_found.max(poll);
        }
    }

    /// Starts or ends polling. Polling lasts while anything is open or needs a recheck.
    pub(crate) fn update(&mut self, is_open: bool, at: Timestamp) {
        if self.recheck.is_some() || is_open {
            self.last_activity_at.get_or_insert(at);
        } else {
            (self.polls_since_activity, self.last_activity_at) = (0, None);
        }
    }
}

impl Polling {
    /// Returns the count of status requests that were sent, which is also the number of the last request.
    pub fn polls_sent(&self) -> u32 {
        self.polls_sent
    }

    /// Returns the number of the last status request whose answer was a signed report.
    pub fn last_answered(&self) -> u32 {
        self.last_answered
    }

    /// Returns the number of the last status request whose answer was "not found".
    pub fn last_not_found(&self) -> u32 {
        self.last_not_found
    }

    /// Whether a signed answer must decide something.
    pub fn needs_recheck(&self) -> bool {
        self.recheck.is_some()
    }

    /// Whether a recheck is needed, and no status request that could end the recheck was sent yet.
    pub(crate) fn is_recheck_due(&self) -> bool {
        self.recheck
            .is_some_and(|recheck| recheck.polls_before == self.polls_sent)
    }

    /// Whether a status request that could end the recheck was answered with a signed "not found".
    pub(crate) fn is_recheck_not_found(&self) -> bool {
        self.recheck
            .is_some_and(|recheck| self.last_signed_not_found > recheck.polls_before)
    }

    /// Returns the time since which a recheck is needed.
    pub(crate) fn recheck_since(&self) -> Option<Timestamp> {
        self.recheck.map(|recheck| recheck.since)
    }

    /// Returns the time from which the next delay counts.
    pub(crate) fn last_activity_at(&self) -> Option<Timestamp> {
        self.last_activity_at
    }

    /// Returns the count of scheduled status requests since the last activity, without the poll for a lost redirect
    /// URL.
    pub(crate) fn polls_since_activity(&self) -> u32 {
        self.polls_since_activity
    }
}
