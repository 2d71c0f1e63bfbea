//! What the function answers: what was done, or in a sentence why nothing was.

use std::collections::BTreeSet;

use payments::events::EventKind;
use payments::model::{Payment, QuarantineReason, Refund, RefundStatus, Status};
use payments::service::callback::{Explanation, Handled, Outcome, Verified};
use payments::service::commit::Applied;
use payments::service::outbox::republish::{RepublishError, Republished};
use payments::service::review::{ReviewError, refund_of_rejection};
use payments::service::status_poll::{Found, PollError, PollResult};
use serde::Serialize;

/// The answer to a command.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What was done.
    Done(Done),
    /// It cannot be done, and repeating it would not help.
    Refused(Problem),
    /// It was not done, or not to its end, and may be repeated.
    Failed(Problem),
}

/// Why a command was not done.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// In one word, for programs.
    pub reason: &'static str,
    /// In a sentence.
    pub detail: String,
}

/// What a command did.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Done {
    /// With a callback, or would do.
    Callback(Box<CallbackDone>),
    /// With events.
    Republished(RepublishDone),
    /// With the platform's answer to a question.
    Polled(PollDone),
    /// With quarantined money.
    Reviewed(ReviewDone),
}

/// What became of a callback, or would.
#[derive(Debug, Serialize)]
pub struct CallbackDone {
    /// In the callback function's words.
    pub outcome: &'static str,
    /// Which key has signed it; `None`: none of ours.
    pub key: Option<&'static str>,
    /// The project that it names.
    pub project_id: Option<u64>,
    /// The payment that it names.
    pub payment_id: Option<String>,
    /// Whether it could stand for another body.
    pub hint: bool,
    /// The platform's word for the payment.
    pub platform_status: Option<String>,
    /// What it says of operations.
    pub operations: Vec<Operation>,
    /// The payment's status afterwards.
    pub status: Option<Status>,
    /// The types of the events that are sent.
    pub events: Vec<&'static str>,
    /// Why it does not verify.
    pub why: Option<Explanation>,
}

/// An operation, in the platform's words.
#[derive(Debug, Serialize)]
pub struct Operation {
    operation_id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    amount: Option<u64>,
    currency: Option<String>,
}

/// What became of events.
#[derive(Debug, Serialize)]
pub struct RepublishDone {
    /// The types of those that had never been sent, and were now.
    pub published: Vec<&'static str>,
    /// Those that were sent again.
    pub repeated: Vec<Repeated>,
    /// The numbers of those that are not kept any more.
    pub gone: Vec<u64>,
}

/// An event that was sent again.
#[derive(Debug, Serialize)]
pub struct Repeated {
    sequence: u64,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// What a question to the platform brought.
#[derive(Debug, Serialize)]
pub struct PollDone {
    /// Whether the platform has `operations` of it, or `nothing`; `unclear` if it does not say.
    pub platform: &'static str,
    /// The payment before; `None` if it was not known.
    pub before: Option<Amounts>,
    /// The payment now; `None` if it is still not known.
    pub after: Option<Amounts>,
    /// The types of the events that were sent.
    pub events: Vec<&'static str>,
}

/// What became of quarantined money.
#[derive(Debug, Serialize)]
pub struct ReviewDone {
    /// The payment now.
    pub after: Amounts,
    /// The refund by which rejected money goes back. `None`: nothing was rejected, or it went back by
    /// another refund, or by hand.
    pub refund: Option<RefundDone>,
    /// The types of the events that were sent.
    pub events: Vec<&'static str>,
    /// Why they were not sent yet; the next minute does it.
    pub not_published: Option<String>,
}

/// What became of a refund.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct RefundDone {
    refund_id: Option<String>,
    /// Minor units.
    amount: u64,
    status: RefundStatus,
    /// Why it was declined, as a code of the platform's list.
    code: Option<String>,
}

impl RefundDone {
    fn of(refund: &Refund) -> Self {
        Self {
            refund_id: refund.refund_id().map(|id| id.as_str().to_owned()),
            amount: refund.amount(),
            status: refund.status(),
            code: refund.code().map(str::to_owned),
        }
    }
}

/// A payment in short, in minor units.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Amounts {
    status: Status,
    paid_amount: u64,
    refunded_amount: u64,
    pending_refund_amount: u64,
    quarantine: BTreeSet<QuarantineReason>,
}

impl Amounts {
    fn of(payment: &Payment) -> Self {
        Self {
            status: payment.status(),
            paid_amount: payment.paid_amount(),
            refunded_amount: payment.refunded_amount(),
            pending_refund_amount: payment.pending_refund_amount(),
            quarantine: payment.quarantine_reasons(),
        }
    }
}

fn names(kinds: &[EventKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}

impl Problem {
    /// With a word for programs.
    pub fn new(reason: &'static str, detail: impl ToString) -> Self {
        let detail = detail.to_string();
        Self { reason, detail }
    }
}

impl Answer {
    /// Of a callback.
    pub fn of_callback(handled: Handled, why: Option<Explanation>) -> Self {
        let error = handled.error.as_deref().unwrap_or_default();
        if matches!(
            handled.outcome,
            Outcome::NoKeys | Outcome::NotCommitted | Outcome::NotPublished
        ) {
            return Answer::Failed(Problem::new(handled.outcome.as_str(), error));
        }
        let mut done = CallbackDone {
            outcome: handled.outcome.as_str(),
            key: None,
            project_id: None,
            payment_id: None,
            hint: false,
            platform_status: None,
            operations: Vec::new(),
            status: handled.status,
            events: names(&handled.published),
            why,
        };
        if let Some(verified) = handled.verified {
            done.tell(verified);
        }
        Answer::Done(Done::Callback(Box::new(done)))
    }

    /// Of events that were to be sent again.
    pub fn of_republish(republished: Result<Republished, RepublishError>) -> Self {
        let republished = match republished {
            Ok(republished) => republished,
            Err(error) => {
                let (answer, reason): (fn(Problem) -> Answer, _) = match error {
                    RepublishError::NotFound => (Answer::Refused, "not_found"),
                    RepublishError::NoSuchEvents { .. } => (Answer::Refused, "no_such_events"),
                    RepublishError::NotPublished(_) => (Answer::Failed, "not_published"),
                    RepublishError::Incomplete(_) => (Answer::Failed, "incomplete"),
                    RepublishError::Store(_) => (Answer::Failed, "unavailable"),
                };
                return answer(Problem::new(reason, error));
            }
        };
        let repeated = republished.repeated.iter();
        Answer::Done(Done::Republished(RepublishDone {
            published: names(&republished.published),
            repeated: repeated
                .map(|(sequence, kind)| Repeated {
                    sequence: *sequence,
                    kind: kind.as_str(),
                })
                .collect(),
            gone: republished.gone,
        }))
    }

    /// Of a question.
    pub fn of_poll(asked: Result<PollResult, PollError>) -> Self {
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => {
                let (answer, reason): (fn(Problem) -> Answer, _) = match error {
                    PollError::NoKey => (Answer::Refused, "no_key"),
                    PollError::NotSignable => (Answer::Refused, "not_signable"),
                    PollError::NoAnswer(_) => (Answer::Failed, "no_answer"),
                    PollError::NotValid(_) => (Answer::Failed, "not_valid"),
                    PollError::NotSigned => (Answer::Failed, "not_signed"),
                    PollError::NotReadable => (Answer::Failed, "not_readable"),
                    PollError::NotCommitted(_) => (Answer::Failed, "not_committed"),
                    PollError::NotPublished(_) => (Answer::Failed, "not_published"),
                };
                return answer(Problem::new(reason, error));
            }
        };
        Answer::Done(Done::Polled(PollDone {
            platform: match asked.found {
                Found::Operations => "operations",
                Found::Nothing => "nothing",
                Found::Unclear => "unclear",
            },
            before: asked.before.as_ref().map(Amounts::of),
            after: asked.payment.as_ref().map(Amounts::of),
            events: names(&asked.published),
        }))
    }

    /// Of a release.
    pub fn of_release(decided: Result<Applied, ReviewError>) -> Self {
        Self::of_decision(decided, |_| None)
    }

    /// Of a rejection; says what became of its refund.
    pub fn of_rejection(decided: Result<Applied, ReviewError>) -> Self {
        Self::of_decision(decided, |payment| {
            refund_of_rejection(payment).map(RefundDone::of)
        })
    }

    fn of_decision(
        decided: Result<Applied, ReviewError>,
        refund: impl FnOnce(&Payment) -> Option<RefundDone>,
    ) -> Self {
        let applied = match decided {
            Ok(applied) => applied,
            Err(error) => {
                let (answer, reason): (fn(Problem) -> Answer, _) = match error {
                    ReviewError::NotFound => (Answer::Refused, "not_found"),
                    ReviewError::NotQuarantined => (Answer::Refused, "not_quarantined"),
                    ReviewError::AlreadyRefunded => (Answer::Refused, "already_refunded"),
                    ReviewError::BeingRefunded => (Answer::Refused, "being_refunded"),
                    ReviewError::OtherItems => (Answer::Refused, "other_items"),
                    ReviewError::NoMoney => (Answer::Refused, "no_money"),
                    ReviewError::NotRefundable(_) => (Answer::Refused, "not_refundable"),
                    ReviewError::Unavailable(_) => (Answer::Failed, "unavailable"),
                };
                return answer(Problem::new(reason, error));
            }
        };
        let (events, not_published) = match &applied.published {
            Ok(sent) => (names(sent), None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        Answer::Done(Done::Reviewed(ReviewDone {
            after: Amounts::of(&applied.payment),
            refund: refund(&applied.payment),
            events,
            not_published,
        }))
    }

    /// What became of the command, in one word.
    pub fn outcome(&self) -> &'static str {
        match self {
            Answer::Done(Done::Callback(done)) => done.outcome,
            Answer::Done(_) => "done",
            Answer::Refused(problem) | Answer::Failed(problem) => problem.reason,
        }
    }
}

impl CallbackDone {
    fn tell(&mut self, verified: Verified) {
        let report = verified.report;
        self.key = Some(verified.slot.as_str());
        self.project_id = report.project_id;
        self.payment_id = report.payment_id;
        self.hint = verified.hint;
        self.platform_status = report.payment_status;
        let operations = report.operations.into_iter();
        self.operations = operations
            .map(|operation| {
                let sum = operation.sum_initial;
                Operation {
                    operation_id: operation.id,
                    kind: operation.kind.into(),
                    status: operation.status,
                    amount: sum.as_ref().map(|sum| sum.amount),
                    currency: sum.map(|sum| sum.currency),
                }
            })
            .collect();
    }
}
