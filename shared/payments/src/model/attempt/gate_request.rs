//! Implements the state machine of a Gate request, for a sale or for a refund
//! (`shared/decisions/state/0005-gate-request.md`).
//!
//! | state | input | next state |
//! | --- | --- | --- |
//! | `NotSent` | `send` | `Sending` |
//! | `Sending`, first try | accepted | `Accepted` |
//! | | refused with a conclusive code | `Refused`; `Unknown` for a refund whose processing failed |
//! | | refused because of a lock | `Unknown` with `locked`; `Unknown` for a refund |
//! | | any other answer, or none | `Unknown` |
//! | `Sending`, repeat; or `Unknown` | accepted | `Accepted` |
//! | | refused with a conclusive code that an earlier try cannot cause | `Unknown` with `refused_repeat` |
//! | | any other answer, or none | `Unknown` |
//! | `Sending` for 30 seconds | `time_out` | `Unknown` |
//! | `Unknown` | `send` | `Sending`, repeat |
//! | any | `refuse`: a status answer shows that the platform did not process the request | `Refused` |
//!
//! If all earlier tries were refused because of a lock, the answer to a repeat counts as the answer to a first try.
//! An answer does not change the states `NotSent`, `Accepted` and `Refused`.

use std::time::Duration;

use ecommpay::answer::Answer;
use serde::{Deserialize, Serialize};

use crate::model::reported::texts;
use crate::model::serde_skip::is_default;
use crate::model::timestamp::Timestamp;

/// After this time in the state `Sending`, a request counts as abandoned. A function needs less time to claim and
/// send the request and to store Gate's answer.
const SENDING_TIMEOUT: Duration = Duration::from_secs(30);

/// The id exists already: the id of a sale (3041) or of a refund (3230).
const DUPLICATE_CODES: [&str; 2] = ["3041", "3230"];

/// Codes that do not prove a refusal, besides `DUPLICATE_CODES`: the payment was locked, the operation was a
/// duplicate, or there is no result yet.
const INCONCLUSIVE_CODES: [&str; 7] = ["2147", "3613", "9999", "19999", "29999", "20802", "20899"];

/// The platform refuses a sale because another request for the payment is in progress. If it refuses each try for
/// this reason, it made no sale.
const LOCK_CODES: [&str; 2] = ["2147", "3613"];

/// Codes that an earlier try can cause, besides `PROCESSING_FAILURES`. If the platform refuses a repeat with such a
/// code, it possibly accepted the earlier try.
const CODES_OF_EARLIER_TRY: [&str; 12] = [
    // The repeat is too early, or the platform's risk system treats it as a duplicate.
    "1409", "1434", "3285",
    // The status or the remaining amount of the payment does not allow the request.
    "903", "3060", "3081", "3117", "3283", "3610", "10701", "10706", "20701",
];

/// Codes of a request whose processing failed or timed out. The platform possibly accepted such a request:
/// - These codes end the first try of a sale, but the sale can still be reported.
/// - An answer or an error with these codes does not end a refund.
/// - A declined operation with these codes ends a refund only after a day.
const PROCESSING_FAILURES: [&str; 4] = ["501", "602", "10602", "20602"];

/// Whether a refusal with this code proves that the platform did not accept the request.
pub(in crate::model) fn is_conclusive(code: &str) -> bool {
    !is_duplicate(code) && !INCONCLUSIVE_CODES.contains(&code)
}

/// Whether an earlier try can cause a refusal with this code.
fn may_concern_earlier_try(code: &str) -> bool {
    CODES_OF_EARLIER_TRY.contains(&code) || is_processing_failure(code)
}

pub(in crate::model) fn is_processing_failure(code: &str) -> bool {
    PROCESSING_FAILURES.contains(&code)
}

pub(in crate::model) fn is_duplicate(code: &str) -> bool {
    DUPLICATE_CODES.contains(&code)
}

/// The progress of a request to Gate.
///
/// `polls_before` is the number of the last status poll that is too early to show the outcome of this request. In
/// `Sending`, it is the last poll before the claim. In `Accepted` and `Unknown`, it is the last poll before Gate's
/// last answer or the timeout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum GateRequest {
    /// The request was not sent, or was erased because reports contain its data.
    #[default]
    NotSent,
    /// The request is being sent. Gate's answer is not known yet.
    Sending {
        /// The time of the claim.
        since: Timestamp,
        /// Whether an earlier try was sent.
        #[serde(default, skip_serializing_if = "is_default")]
        repeat: bool,
        /// See `Unknown`.
        #[serde(default, skip_serializing_if = "is_default")]
        locked: bool,
        /// See [`GateRequest`].
        #[serde(default, skip_serializing_if = "is_default")]
        polls_before: u32,
        /// See `Unknown`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duplicate: Option<Duplicate>,
    },
    /// The platform accepted the request.
    Accepted {
        /// The platform's id of the request; reports contain it as `operation.request_id`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// See [`GateRequest`].
        #[serde(default, skip_serializing_if = "is_default")]
        polls_before: u32,
    },
    /// It is unknown whether the platform accepted the request.
    Unknown {
        /// See [`GateRequest`].
        #[serde(default, skip_serializing_if = "is_default")]
        polls_before: u32,
        /// The code with which the platform refused a repeat. The code does not end the request, because the platform
        /// possibly accepted an earlier try.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused_repeat: Option<String>,
        /// Whether the platform refused all tries because of a lock, and so accepted none.
        #[serde(default, skip_serializing_if = "is_default")]
        locked: bool,
        /// `Some` if the platform refused a try because the id exists already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duplicate: Option<Duplicate>,
    },
    /// The platform refused the request or did not process it.
    Refused {
        /// A code of the platform's list, or `expired`.
        code: String,
        /// The platform's id of the request, if the platform accepted the request before the refusal. Late reports
        /// name this id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
}

/// The owner of the request that already had the id, when the platform refused a try as a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicate {
    /// Ours: a repeat was refused at this time, so the platform had accepted an earlier try.
    Own(Timestamp),
    /// Another system's: our first try was refused, so our request was never accepted.
    Foreign,
}

impl GateRequest {
    /// Claims the request for a first try or a repeat.
    pub(crate) fn send(&mut self, polls_sent: u32, at: Timestamp) {
        *self = GateRequest::Sending {
            since: at,
            repeat: *self != GateRequest::NotSent,
            locked: matches!(self, GateRequest::Unknown { locked: true, .. }),
            polls_before: polls_sent,
            duplicate: self.duplicate(),
        };
    }

    pub(crate) fn on_answer(&mut self, answer: &Answer, polls_sent: u32, at: Timestamp) {
        // If all earlier tries were refused because of a lock, the answer counts as the answer to a first try.
        let (repeat, known) = match self {
            GateRequest::Sending {
                repeat,
                locked,
                duplicate,
                ..
            } => (*repeat && !*locked, *duplicate),
            GateRequest::Unknown { duplicate, .. } => (true, *duplicate),
            _ => return,
        };
        let unknown = |refused_repeat, duplicate: Option<Duplicate>| GateRequest::Unknown {
            polls_before: polls_sent,
            refused_repeat,
            locked: false,
            duplicate: known.or(duplicate),
        };
        *self = match answer {
            Answer::Accepted { request_id } => GateRequest::Accepted {
                request_id: request_id
                    .as_deref()
                    .filter(|id| !id.trim().is_empty())
                    .map(texts::id),
                polls_before: polls_sent,
            },
            Answer::Refused(refusal) => match refusal.code.as_str() {
                code if is_duplicate(code) => {
                    let duplicate = match repeat {
                        true => Duplicate::Own(at),
                        false => Duplicate::Foreign,
                    };
                    unknown(None, Some(duplicate))
                }
                code if !repeat && LOCK_CODES.contains(&code) => GateRequest::Unknown {
                    polls_before: polls_sent,
                    refused_repeat: None,
                    locked: true,
                    duplicate: known,
                },
                code if !is_conclusive(code) => unknown(None, None),
                code if repeat && may_concern_earlier_try(code) => unknown(None, None),
                code if repeat => unknown(Some(texts::code(code)), None),
                code => GateRequest::Refused {
                    code: texts::code(code),
                    request_id: None,
                },
            },
            Answer::Unclear => unknown(None, None),
        };
    }

    /// Applies Gate's answer to a refund request. A failed processing or a lock does not end even a first try, because
    /// the platform can still make the refund. If this refund counted as ended and the storefront requested a second
    /// refund, the money would be refunded twice.
    pub(crate) fn on_refund_answer(&mut self, answer: &Answer, polls_sent: u32, at: Timestamp) {
        let is_unclear = |code: &str| is_processing_failure(code) || LOCK_CODES.contains(&code);
        let answer = match answer {
            Answer::Refused(refusal) if is_unclear(&refusal.code) => &Answer::Unclear,
            answer => answer,
        };
        self.on_answer(answer, polls_sent, at);
    }

    /// Moves an abandoned request to `Unknown`.
    pub(crate) fn time_out(&mut self, polls_sent: u32, at: Timestamp) {
        if matches!(self, GateRequest::Sending { .. }) && !self.is_in_flight(at) {
            *self = GateRequest::Unknown {
                polls_before: polls_sent,
                refused_repeat: None,
                locked: false,
                duplicate: self.duplicate(),
            };
        }
    }

    pub(crate) fn refuse(&mut self, code: &str) {
        *self = GateRequest::Refused {
            code: texts::code(code),
            request_id: self.request_id().map(str::to_owned),
        };
    }

    /// Whether the request is being sent and is not abandoned.
    pub(crate) fn is_in_flight(&self, at: Timestamp) -> bool {
        matches!(self, GateRequest::Sending { since, .. } if since.after(SENDING_TIMEOUT) > at)
    }

    /// Whether the request was sent, but it is unknown whether the platform accepted it.
    pub(crate) fn has_unknown_outcome(&self, at: Timestamp) -> bool {
        match self {
            GateRequest::Unknown { .. } => true,
            GateRequest::Sending { .. } => !self.is_in_flight(at),
            _ => false,
        }
    }

    pub(crate) fn is_first_try(&self) -> bool {
        matches!(self, GateRequest::Sending { repeat: false, .. })
    }

    pub(crate) fn is_repeat(&self) -> bool {
        matches!(self, GateRequest::Sending { repeat: true, .. })
    }

    /// Whether the answer to the status poll with this number shows the outcome of the request. A request that was
    /// not sent or was refused needs no poll.
    pub(crate) fn is_covered_by(&self, poll: u32) -> bool {
        match self {
            GateRequest::NotSent | GateRequest::Refused { .. } => true,
            _ => poll > self.polls_before(),
        }
    }

    /// Returns `polls_before` (see [`GateRequest`]); 0 if the request was not sent or was refused.
    pub(crate) fn polls_before(&self) -> u32 {
        match self {
            GateRequest::NotSent | GateRequest::Refused { .. } => 0,
            GateRequest::Sending { polls_before, .. }
            | GateRequest::Accepted { polls_before, .. }
            | GateRequest::Unknown { polls_before, .. } => *polls_before,
        }
    }

    /// Returns the platform's id of the request, if the platform accepted it. A later refusal does not remove the id.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            GateRequest::Accepted { request_id, .. } | GateRequest::Refused { request_id, .. } => {
                request_id.as_deref()
            }
            _ => None,
        }
    }

    /// Whether the platform accepted no try of the request.
    pub(in crate::model) fn was_never_accepted(&self) -> bool {
        match self {
            GateRequest::Refused { .. } | GateRequest::Unknown { locked: true, .. } => true,
            _ => self.duplicate() == Some(Duplicate::Foreign),
        }
    }

    /// Returns who owns the id, if the platform refused a try as a duplicate.
    pub(crate) fn duplicate(&self) -> Option<Duplicate> {
        match self {
            GateRequest::Sending { duplicate, .. } | GateRequest::Unknown { duplicate, .. } => {
                *duplicate
            }
            _ => None,
        }
    }

    pub(crate) fn refused_repeat(&self) -> Option<&str> {
        match self {
            GateRequest::Unknown { refused_repeat, .. } => refused_repeat.as_deref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
