//! Polling state: last activity, and the status requests sent since.

use serde::{Deserialize, Serialize};

use super::is_zero;
use crate::model::timestamp::Timestamp;

/// The status requests about a payment. They are numbered, so that it is known what was reported
/// after one was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polling {
    /// How many were sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) polls_sent: u32,
    /// The number of the last one that was answered with a signed report.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) last_answered: u32,
    /// The number of the last one that was answered "not found", signed or not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) last_not_found: u32,
    /// The number of the last one that was answered "not found" by a signed answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) last_signed_not_found: u32,
    /// How many were sent by the schedule since the last activity.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) polls_since_activity: u32,
    /// When something was started, or the last of these status requests sent, as long as anything is
    /// open or needs a recheck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_activity_at: Option<Timestamp>,
    /// Something was reported that a signed answer must settle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recheck: Option<Recheck>,
}

/// Something was reported that a signed answer must settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recheck {
    /// How many status requests had been sent when it was last reported.
    pub(super) polls_before: u32,
    /// Since when anything is unsettled.
    pub(super) since: Timestamp,
}

impl Polling {
    /// Something was started: it is polled as if nothing had been open before.
    pub(crate) fn start(&mut self, at: Timestamp) {
        // Never put off: the status request about what was started just before comes in time for both.
        if self.polls_since_activity > 0 || self.last_activity_at.is_none() {
            (self.polls_since_activity, self.last_activity_at) = (0, Some(at));
        }
    }

    /// Something was reported that a signed answer must settle: the platform is polled at once. If that
    /// is going to be done anyway, nothing changes, so that repeats change nothing.
    pub(crate) fn recheck_now(&mut self, at: Timestamp) {
        if self.is_recheck_due() {
            return;
        }
        let since = self.recheck.map_or(at, |recheck| recheck.since);
        self.recheck = Some(Recheck {
            polls_before: self.polls_sent,
            since,
        });
        (self.polls_since_activity, self.last_activity_at) = (0, Some(at));
    }

    /// What needed a recheck is settled, as far as it was reported before this status request was sent;
    /// or it is not, and is asked again in its time.
    pub(crate) fn rechecked(&mut self, poll: u32, is_settled: bool, at: Timestamp) {
        let reported_since = self.recheck.filter(|recheck| recheck.polls_before >= poll);
        self.recheck = match is_settled {
            true => reported_since,
            false => reported_since.or(Some(Recheck {
                polls_before: poll.saturating_sub(1),
                since: self.recheck.map_or(at, |recheck| recheck.since),
            })),
        };
    }

    /// A status request is sent, by the schedule or by hand.
    pub(crate) fn send(&mut self) {
        self.polls_sent = self.polls_sent.saturating_add(1);
    }

    /// A status request is sent by the schedule. One for a lost redirect URL does not count as one of
    /// its steps.
    pub(crate) fn scheduled(&mut self, is_step: bool, at: Timestamp) {
        if is_step {
            self.polls_since_activity = self.polls_since_activity.saturating_add(1);
        }
        self.last_activity_at = Some(at);
    }

    /// Whether what needed a recheck was answered with a signed "not found".
    pub(crate) fn is_recheck_answered_not_found(&self) -> bool {
        self.recheck
            .is_some_and(|recheck| self.last_signed_not_found > recheck.polls_before)
    }

    /// What needed a recheck will not be settled any more.
    pub(crate) fn end_recheck(&mut self) {
        self.recheck = None;
    }

    /// A status request was answered with a signed report.
    pub(crate) fn answered(&mut self, poll: u32) {
        self.last_answered = self.last_answered.max(poll);
    }

    /// A status request was answered "not found".
    pub(crate) fn not_found(&mut self, poll: u32, signed: bool) {
        self.last_not_found = self.last_not_found.max(poll);
        if signed {
            self.last_signed_not_found = self.last_signed_not_found.max(poll);
        }
    }

    /// Notes since when anything is open, or that nothing is.
    pub(crate) fn settle(&mut self, is_open: bool, at: Timestamp) {
        if self.recheck.is_some() || is_open {
            self.last_activity_at.get_or_insert(at);
        } else {
            (self.polls_since_activity, self.last_activity_at) = (0, None);
        }
    }

    /// How many status requests were sent.
    pub fn polls_sent(&self) -> u32 {
        self.polls_sent
    }

    /// The number of the last one that was answered with a signed report.
    pub fn last_answered(&self) -> u32 {
        self.last_answered
    }

    /// The number of the last one that was answered "not found".
    pub fn last_not_found(&self) -> u32 {
        self.last_not_found
    }

    /// Whether something was reported that a signed answer must settle.
    pub fn needs_recheck(&self) -> bool {
        self.recheck.is_some()
    }

    /// Whether such a thing was reported and no status request was sent since.
    pub(crate) fn is_recheck_due(&self) -> bool {
        self.recheck
            .is_some_and(|recheck| recheck.polls_before == self.polls_sent)
    }

    /// Since when anything is unsettled.
    pub(crate) fn unsettled_since(&self) -> Option<Timestamp> {
        self.recheck.map(|recheck| recheck.since)
    }

    pub(crate) fn last_activity_at(&self) -> Option<Timestamp> {
        self.last_activity_at
    }

    pub(crate) fn polls_since_activity(&self) -> u32 {
        self.polls_since_activity
    }
}
