//! Holds the polling state of a payment.

use serde::{Deserialize, Serialize};

use super::serde_skip::is_default;
use super::timestamp::Timestamp;

/// The polling state of a payment.
///
/// Status requests are numbered, because an answer shows only what happened before its request. An *activity* is a
/// request of ours after which a report is expected, or the start of a recheck.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polling {
    /// The number of the last status request.
    #[serde(default, skip_serializing_if = "is_default")]
    polls_sent: u32,
    /// The number of the last status request that was answered with a signed report.
    #[serde(default, skip_serializing_if = "is_default")]
    last_answered: u32,
    /// The number of the last status request that was answered "not found", signed or not.
    #[serde(default, skip_serializing_if = "is_default")]
    last_not_found: u32,
    /// The number of the last status request that was answered with a signed "not found".
    #[serde(default, skip_serializing_if = "is_default")]
    last_signed_not_found: u32,
    /// The number of scheduled polls since the last activity, without the poll for a lost redirect URL.
    #[serde(default, skip_serializing_if = "is_default")]
    polls_since_activity: u32,
    /// The time from which the next delay counts: the last activity or the last scheduled poll. `None` if no poll is
    /// needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_activity_at: Option<Timestamp>,
    /// `None` if nothing needs a recheck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recheck: Option<Recheck>,
}

/// A recheck that has not ended: a signed answer must decide what callbacks alone cannot decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Recheck {
    /// The number of the last status request before the recheck. Only the answer to a later status request can end the
    /// recheck.
    polls_before: u32,
    since: Timestamp,
}

impl Polling {
    /// Restarts the schedule after an activity. Has no effect if the first scheduled poll is not sent yet, because a
    /// restart would only delay this poll.
    pub(crate) fn restart(&mut self, at: Timestamp) {
        if self.polls_since_activity > 0 || self.last_activity_at.is_none() {
            (self.polls_since_activity, self.last_activity_at) = (0, Some(at));
        }
    }

    /// Makes an immediate status poll due. Has no effect if such a poll is due already.
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

    /// Applies the signed answer to the status request `poll`. If `is_decided`, the recheck ends. Otherwise the recheck
    /// continues, or a recheck starts. A recheck that was requested after `poll` stays.
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

    /// Ends the recheck without a deciding answer.
    pub(crate) fn cancel_recheck(&mut self) {
        self.recheck = None;
    }

    /// Counts a status request, scheduled or not.
    pub(crate) fn count_poll(&mut self) {
        self.polls_sent = self.polls_sent.saturating_add(1);
    }

    /// Records that a scheduled poll is sent. If the poll is a step of the schedule, the next delay starts. The poll
    /// for a lost redirect URL is no step, so the same delay starts again.
    pub(crate) fn advance_schedule(&mut self, is_step: bool, at: Timestamp) {
        if is_step {
            self.polls_since_activity = self.polls_since_activity.saturating_add(1);
        }
        self.last_activity_at = Some(at);
    }

    pub(crate) fn record_answer(&mut self, poll: u32) {
        self.last_answered = self.last_answered.max(poll);
    }

    pub(crate) fn record_not_found(&mut self, poll: u32, signed: bool) {
        self.last_not_found = self.last_not_found.max(poll);
        if signed {
            self.last_signed_not_found = self.last_signed_not_found.max(poll);
        }
    }

    /// Starts or ends polling. Polling lasts while the payment is open or needs a recheck.
    pub(crate) fn update(&mut self, is_open: bool, at: Timestamp) {
        if self.recheck.is_some() || is_open {
            self.last_activity_at.get_or_insert(at);
        } else {
            (self.polls_since_activity, self.last_activity_at) = (0, None);
        }
    }
}

impl Polling {
    /// Returns the number of the last status request.
    pub fn polls_sent(&self) -> u32 {
        self.polls_sent
    }

    /// Returns the number of the last status request that was answered with a signed report.
    pub fn last_answered(&self) -> u32 {
        self.last_answered
    }

    /// Returns the number of the last status request that was answered "not found".
    pub fn last_not_found(&self) -> u32 {
        self.last_not_found
    }

    /// Whether a signed answer must decide something.
    pub fn needs_recheck(&self) -> bool {
        self.recheck.is_some()
    }

    /// Whether a recheck is needed, and no status request has been sent for it.
    pub(crate) fn is_recheck_due(&self) -> bool {
        self.recheck
            .is_some_and(|recheck| recheck.polls_before == self.polls_sent)
    }

    /// Whether a signed "not found" answered the recheck.
    pub(crate) fn is_recheck_not_found(&self) -> bool {
        self.recheck
            .is_some_and(|recheck| self.last_signed_not_found > recheck.polls_before)
    }

    pub(crate) fn recheck_since(&self) -> Option<Timestamp> {
        self.recheck.map(|recheck| recheck.since)
    }

    pub(crate) fn last_activity_at(&self) -> Option<Timestamp> {
        self.last_activity_at
    }

    pub(crate) fn polls_since_activity(&self) -> u32 {
        self.polls_since_activity
    }
}
