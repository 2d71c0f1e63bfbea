//! A request to Gate, for a sale and for a refund alike: one state machine.
//!
//! | state | on | becomes |
//! | --- | --- | --- |
//! | `NotSent` | [`send`](GateRequest::send) | `Sending` |
//! | `Sending`, the first time | accepted | `Accepted` |
//! | | refused with a code that ends it | `Refused` |
//! | | any other answer, or none | `Unknown` |
//! | `Sending` again, or `Unknown` | accepted | `Accepted` |
//! | | refused: the first request may have been taken | `Unknown`, with the code |
//! | | any other answer, or none | `Unknown` |
//! | `Sending` for longer than a request takes | [`give_up`](GateRequest::give_up) | `Unknown` |
//! | `Unknown` | [`send`](GateRequest::send) | `Sending` again |
//! | any | [`refuse`](GateRequest::refuse): the platform did not process it, or its checkout expired | `Refused` |
//!
//! `Accepted` and `Refused` do not change by an answer.

use std::time::Duration;

use ecommpay::answer::Answer;
use serde::{Deserialize, Serialize};

use crate::model::is_zero;
use crate::model::timestamp::Timestamp;

/// A request in the state `Sending` for longer than this was abandoned: the claim, Gate's answer and the
/// retries together take less.
const SENDING_TAKES: Duration = Duration::from_secs(30);

/// The platform has a sale, or a refund, of this id already.
const EXISTS: [&str; 2] = ["3041", "3230"];

/// Other codes that say nothing about the request: a lock, a duplicate, and those that say to wait.
const INCONCLUSIVE: [&str; 7] = ["2147", "3613", "9999", "19999", "29999", "20802", "20899"];

/// Whether a refusal with this code means that the request was not taken.
pub(crate) fn ends_request(code: &str) -> bool {
    !EXISTS.contains(&code) && !INCONCLUSIVE.contains(&code)
}

/// How far a request to Gate got.
///
/// `polls_before` counts the status requests that were sent before the request was last answered, or
/// given up: only a later one shows what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum GateRequest {
    /// Nothing was sent from here.
    #[default]
    NotSent,
    /// It is being sent; the answer is not known yet.
    Sending {
        /// When it was decided to send it.
        since: Timestamp,
        /// Whether it was sent before, without a clear answer.
        #[serde(default, skip_serializing_if = "is_zero")]
        repeat: bool,
        /// See above.
        #[serde(default, skip_serializing_if = "is_zero")]
        polls_before: u32,
    },
    /// The platform took it.
    Accepted {
        /// Equals `operation.request_id` of the callbacks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// See above.
        #[serde(default, skip_serializing_if = "is_zero")]
        polls_before: u32,
    },
    /// It is not known whether the platform took it.
    Unknown {
        /// See above.
        #[serde(default, skip_serializing_if = "is_zero")]
        polls_before: u32,
        /// The code with which a repeat was refused. By itself that is not the end: the first request
        /// may have been taken late.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused_repeat: Option<String>,
        /// The platform said that it has a request of this id already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exists: Option<Exists>,
    },
    /// The platform refused it, or it came to nothing.
    Refused {
        /// A code of the platform's list.
        code: String,
    },
}

/// What it means that the platform has a request of this id already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exists {
    /// Said to a repeat: it existed by then, so our first request was taken.
    By(Timestamp),
    /// Said to the first request: it is another system's, and ours was never taken.
    Elsewhere,
}

impl GateRequest {
    /// Sends it, for the first time or again.
    pub(crate) fn send(&mut self, polls_sent: u32, at: Timestamp) {
        *self = GateRequest::Sending {
            since: at,
            repeat: *self != GateRequest::NotSent,
            polls_before: polls_sent,
        };
    }

    /// Takes in Gate's answer. An answer to a request that is decided changes nothing.
    pub(crate) fn on_answer(&mut self, answer: &Answer, polls_sent: u32, at: Timestamp) {
        let (repeat, known) = match self {
            GateRequest::Sending { repeat, .. } => (*repeat, None),
            GateRequest::Unknown { exists, .. } => (true, *exists),
            _ => return,
        };
        let unknown = |refused_repeat, exists: Option<Exists>| GateRequest::Unknown {
            polls_before: polls_sent,
            refused_repeat,
            exists: known.or(exists),
        };
        *self = match answer {
            Answer::Accepted { request_id } => GateRequest::Accepted {
                request_id: request_id.clone(),
                polls_before: polls_sent,
            },
            Answer::Refused(refusal) => match refusal.code.as_str() {
                code if EXISTS.contains(&code) && repeat => unknown(None, Some(Exists::By(at))),
                code if EXISTS.contains(&code) => unknown(None, Some(Exists::Elsewhere)),
                code if !ends_request(code) => unknown(None, None),
                code if repeat => unknown(Some(code.to_owned()), None),
                code => GateRequest::Refused {
                    code: code.to_owned(),
                },
            },
            Answer::Unclear => unknown(None, None),
        };
    }

    /// Moves an abandoned request from `Sending` to `Unknown`.
    pub(crate) fn give_up(&mut self, polls_sent: u32, at: Timestamp) {
        if matches!(self, GateRequest::Sending { .. }) && !self.is_under_way(at) {
            *self = GateRequest::Unknown {
                polls_before: polls_sent,
                refused_repeat: None,
                exists: None,
            };
        }
    }

    /// The platform has shown that it came to nothing.
    pub(crate) fn refuse(&mut self, code: &str) {
        *self = GateRequest::Refused {
            code: code.to_owned(),
        };
    }

    /// Whether nothing was sent from here.
    pub(crate) fn is_not_sent(&self) -> bool {
        *self == GateRequest::NotSent
    }

    /// Whether its answer may still come.
    pub(crate) fn is_under_way(&self, at: Timestamp) -> bool {
        matches!(self, GateRequest::Sending { since, .. } if since.after(SENDING_TAKES) > at)
    }

    /// Whether it was sent, and it is not known whether the platform took it.
    pub(crate) fn is_lost(&self, at: Timestamp) -> bool {
        match self {
            GateRequest::Unknown { .. } => true,
            GateRequest::Sending { .. } => !self.is_under_way(at),
            _ => false,
        }
    }

    /// Whether a status request of this number was sent after it was answered, or given up.
    pub(crate) fn is_before_poll(&self, poll: u32) -> bool {
        match self {
            GateRequest::NotSent | GateRequest::Refused { .. } => true,
            GateRequest::Sending { polls_before, .. }
            | GateRequest::Accepted { polls_before, .. }
            | GateRequest::Unknown { polls_before, .. } => poll > *polls_before,
        }
    }

    /// The platform's name of a request that it took.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            GateRequest::Accepted { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// What the platform said about a request of this id that it has already.
    pub(crate) fn exists(&self) -> Option<Exists> {
        match self {
            GateRequest::Unknown { exists, .. } => *exists,
            _ => None,
        }
    }

    /// The code with which a repeat was refused.
    pub(crate) fn refused_repeat(&self) -> Option<&str> {
        match self {
            GateRequest::Unknown { refused_repeat, .. } => refused_repeat.as_deref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use ecommpay::answer::Refusal;

    use super::*;

    const T: Timestamp = Timestamp::from_millis(1_562_059_700_000);
    const LATER: Timestamp = Timestamp::from_millis(1_562_059_730_000);

    fn sending(repeat: bool) -> GateRequest {
        GateRequest::Sending {
            since: T,
            repeat,
            polls_before: 1,
        }
    }

    fn unknown(refused_repeat: Option<&str>, exists: Option<Exists>) -> GateRequest {
        GateRequest::Unknown {
            polls_before: 3,
            refused_repeat: refused_repeat.map(str::to_owned),
            exists,
        }
    }

    fn accepted() -> GateRequest {
        GateRequest::Accepted {
            request_id: Some("r".into()),
            polls_before: 3,
        }
    }

    fn refused() -> GateRequest {
        GateRequest::Refused {
            code: "2004".into(),
        }
    }

    #[test]
    fn every_answer_in_every_state() {
        let code = |code: &str| {
            Answer::Refused(Refusal {
                code: code.into(),
                message: None,
                request_id: None,
            })
        };
        let accept = Answer::Accepted {
            request_id: Some("r".into()),
        };
        let (first, again) = (sending(false), sending(true));
        let by = Some(Exists::By(LATER));
        let (here, lost) = (Some(Exists::Elsewhere), unknown(None, None));
        let table = [
            (&first, &accept, accepted()),
            (&first, &code("2004"), refused()),
            (&first, &code("3041"), unknown(None, here)),
            (&first, &code("3230"), unknown(None, here)),
            (&first, &code("2147"), lost.clone()),
            (&first, &code("3613"), lost.clone()),
            (&first, &code("20899"), lost.clone()),
            (&first, &Answer::Unclear, lost.clone()),
            (&again, &accept, accepted()),
            (&again, &code("2004"), unknown(Some("2004"), None)),
            (&again, &code("3230"), unknown(None, by)),
            (&again, &Answer::Unclear, lost.clone()),
            (&lost, &accept, accepted()),
            (&lost, &code("2004"), unknown(Some("2004"), None)),
            (&unknown(None, here), &Answer::Unclear, unknown(None, here)),
            (&accepted(), &code("2004"), accepted()),
            (&refused(), &accept, refused()),
            (&GateRequest::NotSent, &accept, GateRequest::NotSent),
        ];
        for (before, answer, expected) in table {
            let mut request = before.clone();
            request.on_answer(answer, 3, LATER);
            assert_eq!(request, expected, "{before:?} on {answer:?}");
        }
    }

    #[test]
    fn a_request_is_abandoned_after_thirty_seconds_only() {
        let mut request = GateRequest::NotSent;
        request.send(1, T);
        assert_eq!(request, sending(false));
        request.give_up(3, LATER.before(Duration::from_millis(1)));
        assert_eq!(request, sending(false));
        request.give_up(3, LATER);
        assert_eq!(request, unknown(None, None));
        assert!(!request.is_before_poll(3) && request.is_before_poll(4));
        request.send(1, T);
        assert_eq!(request, sending(true));
        let mut taken = accepted();
        taken.give_up(9, LATER);
        assert_eq!(taken, accepted());
    }
}
