//! Defines the backlog of an endpoint: for each payment, which events wait for the endpoint, and when the first of
//! them is tried again.
//!
//! | change | made by |
//! | --- | --- |
//! | [`Backlog::of`], [`Backlog::after_failure`] | the first try of an event that fails or may not be made |
//! | [`Backlog::with`] | the first try of a later event, which waits behind the others; an operator |
//! | [`Backlog::claim`] | the start of a retry |
//! | [`Claim::conclude`] | the end of a retry |

use std::time::Duration;

use crate::model::timestamp::Timestamp;

/// A claimed item is due again after this time, in case the function crashes. It is longer than the function's
/// time-out.
pub const LEASE: Duration = Duration::from_secs(90);

/// The events of a payment that wait for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The number of the event that is tried next.
    pub next: u64,
    /// The number of the last event.
    pub through: u64,
    /// The number of failed tries of the event `next`.
    pub failures: u32,
    /// The time since which the event `next` is the first to wait.
    pub since: Timestamp,
    /// The time of the next try. While a retry runs, the end of its lease.
    pub due: Timestamp,
    /// The version, which each write raises. The versions of a later item of the same payment are higher, because
    /// the first version is a time.
    pub version: u64,
}

impl Backlog {
    /// Returns the backlog of the events `next` to `through`, which is due now.
    pub fn of(next: u64, through: u64, now: Timestamp) -> Self {
        Self {
            next,
            through,
            failures: 0,
            since: now,
            due: now,
            version: now.unix_millis().unsigned_abs(),
        }
    }

    /// Returns the backlog of an event whose first try failed.
    pub fn after_failure(sequence: u64, now: Timestamp, retry_at: Timestamp) -> Self {
        Self {
            failures: 1,
            due: retry_at,
            ..Self::of(sequence, sequence, now)
        }
    }

    /// Returns the backlog with the events `next` to `through` added; `None` if it already has them. An added event
    /// that is earlier than all others is tried first.
    pub fn with(&self, next: u64, through: u64, now: Timestamp) -> Option<Self> {
        if next >= self.next && through <= self.through {
            return None;
        }
        let is_earlier = next < self.next;
        Some(Self {
            next: next.min(self.next),
            through: through.max(self.through),
            failures: if is_earlier { 0 } else { self.failures },
            since: if is_earlier { now } else { self.since },
            due: self.due,
            version: self.version.saturating_add(1),
        })
    }

    /// Starts a retry.
    pub fn claim(&self, now: Timestamp) -> Claim {
        Claim {
            held: Self {
                due: now.after(LEASE),
                version: self.version.saturating_add(1),
                ..self.clone()
            },
            due_before: self.due,
        }
    }
}

/// A backlog item that a retry has claimed. Other writers can still add events to the stored item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    held: Backlog,
    due_before: Timestamp,
}

/// How a retry ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All events before the next one are done. The next event was not tried, or it counts as not tried.
    Stopped,
    /// The next event was tried and failed. It is tried again at this time.
    Failed {
        /// The time.
        retry_at: Timestamp,
    },
}

/// What a retry writes at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conclusion {
    /// The item is replaced.
    Replace(Backlog),
    /// The item is deleted, because no event is left.
    Delete,
    /// Nothing is written, because another retry has claimed the item after the lease.
    Lost,
}

impl Claim {
    /// Returns the item as it is written at the start of the retry.
    pub fn held(&self) -> &Backlog {
        &self.held
    }

    /// Returns the number of failed tries of an event, this failure included.
    pub fn failures_of(&self, sequence: u64) -> u32 {
        let earlier = if sequence == self.held.next {
            self.held.failures
        } else {
            0
        };
        earlier.saturating_add(1)
    }

    /// Ends the retry. `current` is the stored item, and `next` the first event that is not done.
    pub fn conclude(&self, current: &Backlog, next: u64, end: End, now: Timestamp) -> Conclusion {
        if current.due != self.held.due {
            return Conclusion::Lost;
        }
        let version = current.version.saturating_add(1);
        if current.next < self.held.next {
            let due = match end {
                End::Stopped => now,
                End::Failed { retry_at } => retry_at,
            };
            return Conclusion::Replace(Backlog {
                due,
                version,
                ..Backlog::of(current.next, current.through, now)
            });
        }
        if next > current.through {
            return Conclusion::Delete;
        }
        let is_first = next == self.held.next;
        let due = match end {
            End::Failed { retry_at } => retry_at,
            End::Stopped if is_first => self.due_before,
            End::Stopped => now,
        };
        let failures = match end {
            End::Failed { .. } => self.failures_of(next),
            End::Stopped if is_first => self.held.failures,
            End::Stopped => 0,
        };
        Conclusion::Replace(Backlog {
            next,
            through: current.through,
            failures,
            since: if is_first { self.held.since } else { now },
            due,
            version,
        })
    }
}

#[cfg(test)]
mod tests;
