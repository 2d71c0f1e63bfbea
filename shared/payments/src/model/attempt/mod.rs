//! Holds the current attempt of a payment: its sale request and its checkout.

pub mod checkout;
pub(in crate::model) mod clarification;
pub mod gate_request;

use std::collections::BTreeSet;
use std::time::Duration;

use ecommpay::answer::Answer;
use serde::{Deserialize, Serialize};

use self::clarification::ClarificationTries;
use self::gate_request::{Duplicate, GateRequest};
use super::order::Channel;
use super::reported::request_ids::RequestIds;
use super::serde_skip::is_default;
use super::timestamp::{Timestamp, millis};

/// The maximum number of attempts of a payment. The payment stores the `request_id` of each attempt, and its size is
/// limited.
const MAX_ATTEMPTS: u32 = 100;

/// The maximum number of repeats of a sale that a storefront can cause. The platform can lock a project that sends
/// too many requests.
pub(crate) const MAX_REPEATS: u32 = 20;

/// The minimum time between two repeats of a sale that a storefront causes.
const MIN_REPEAT_INTERVAL: Duration = Duration::from_secs(10);

/// The current attempt. A payment gets another attempt only after the status `failed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The number of earlier attempts.
    #[serde(default, skip_serializing_if = "is_default")]
    number: u32,
    #[serde(with = "millis")]
    started_at: Timestamp,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) request: GateRequest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeated_at: Option<Timestamp>,
    /// The number of repeats that a storefront caused.
    #[serde(default, skip_serializing_if = "is_default")]
    repeats: u32,
    /// The platform's ids of the sale requests of earlier attempts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    failed_requests: BTreeSet<String>,
    /// Whether the platform possibly has a sale of ours whose `request_id` is unknown, from an earlier try or an ended
    /// request. That request had no clear answer, was accepted without an id, or its processing failed.
    #[serde(default, skip_serializing_if = "is_default")]
    may_have_unnamed_sale: bool,
    /// The digest of the answered clarification request, which is not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_clarification: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    clarification_tries: ClarificationTries,
    /// Whether another system made the payment that the platform has under this id. This is known if the platform
    /// refused our first try as a duplicate, and can have no other sale of ours (`may_have_unnamed_sale`).
    #[serde(default, skip_serializing_if = "is_default")]
    foreign: bool,
    /// Whether `checkout.expired` was emitted.
    #[serde(default, skip_serializing_if = "is_default")]
    expired: bool,
    /// Whether the platform was polled for a redirect URL, because the callback with the URL is possibly lost.
    #[serde(default, skip_serializing_if = "is_default")]
    polled_for_redirect: bool,
}

impl Attempt {
    pub(super) fn first(at: Timestamp) -> Self {
        Self {
            number: 0,
            started_at: at,
            request: GateRequest::NotSent,
            repeated_at: None,
            repeats: 0,
            failed_requests: BTreeSet::new(),
            may_have_unnamed_sale: false,
            answered_clarification: None,
            clarification_tries: ClarificationTries::default(),
            foreign: false,
            expired: false,
            polled_for_redirect: false,
        }
    }

    /// Creates the attempt that follows this failed attempt.
    pub(super) fn next(&self, at: Timestamp) -> Self {
        let failed = self.request.request_id().map(str::to_owned);
        Self {
            number: self.number.saturating_add(1),
            failed_requests: self.failed_requests.iter().cloned().chain(failed).collect(),
            may_have_unnamed_sale: self.may_have_unnamed_sale(),
            ..Self::first(at)
        }
    }

    /// Starts the attempt. Claims the sale request of a Gate sale. A Payment Page link needs no request.
    pub(super) fn start(&mut self, channel: Channel, polls_sent: u32, at: Timestamp) {
        self.started_at = at;
        match channel {
            Channel::Gate => self.request.send(polls_sent, at),
            Channel::PaymentPage => {}
        }
    }

    /// Claims a repeat of the sale request. The answer can name another `request_id` than the sale has.
    pub(super) fn send_again(&mut self, polls_sent: u32, at: Timestamp) {
        self.may_have_unnamed_sale = self.may_have_unnamed_sale();
        self.request.send(polls_sent, at);
        self.repeated_at = Some(at);
    }

    pub(crate) fn count_repeat(&mut self) {
        self.repeats = self.repeats.saturating_add(1);
    }

    /// Whether a storefront's request may now cause a repeat.
    pub(crate) fn allows_repeat(&self, at: Timestamp) -> bool {
        let last = self.repeated_at;
        self.repeats < MAX_REPEATS && last.is_none_or(|last| last.after(MIN_REPEAT_INTERVAL) <= at)
    }

    /// Applies Gate's answer to the sale request. An accepted sale shows that no other system has the payment id. A
    /// duplicate shows the opposite, unless the platform possibly has a sale of ours whose `request_id` is unknown.
    pub(crate) fn on_answer(&mut self, answer: &Answer, polls_sent: u32, at: Timestamp) {
        self.request.on_answer(answer, polls_sent, at);
        match &self.request {
            GateRequest::Accepted { .. } => self.foreign = false,
            GateRequest::Refused { code, .. } => {
                self.may_have_unnamed_sale |= gate_request::is_processing_failure(code);
            }
            request if !self.may_have_unnamed_sale => {
                self.foreign |= request.duplicate() == Some(Duplicate::Foreign);
            }
            _ => {}
        }
    }

    pub(crate) fn refuse(&mut self, code: &str) {
        self.may_have_unnamed_sale = self.may_have_unnamed_sale();
        self.request.refuse(code);
    }

    /// Whether the platform possibly has a sale of ours, from any attempt, whose `request_id` is unknown.
    pub(super) fn may_have_unnamed_sale(&self) -> bool {
        let is_unnamed = match &self.request {
            GateRequest::Sending { .. } | GateRequest::Unknown { .. } => {
                !self.request.was_never_accepted()
            }
            GateRequest::Accepted { request_id, .. } => request_id.is_none(),
            GateRequest::NotSent | GateRequest::Refused { .. } => false,
        };
        self.may_have_unnamed_sale || is_unnamed
    }

    /// Whether Gate's answers show that another system made the platform's payment with this id.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign
    }

    pub(crate) fn is_last(&self) -> bool {
        self.number.saturating_add(1) >= MAX_ATTEMPTS
    }

    /// Returns the number of earlier attempts.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns when the attempt started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Returns when the sale request was last sent; for a Payment Page link, when the attempt started.
    pub(super) fn sent_at(&self) -> Timestamp {
        self.repeated_at.unwrap_or(self.started_at)
    }

    /// Returns the number of repeats that a storefront caused.
    pub fn repeats(&self) -> u32 {
        self.repeats
    }

    /// Returns the sale request.
    pub fn request(&self) -> &GateRequest {
        &self.request
    }

    /// Returns the ids of the sale requests of all attempts.
    pub(super) fn request_ids(&self) -> RequestIds<'_> {
        RequestIds::new(&self.failed_requests, self.request.request_id())
    }

    /// Returns the ids of the sale requests of earlier attempts.
    pub(super) fn failed_request_ids(&self) -> RequestIds<'_> {
        RequestIds::new(&self.failed_requests, None)
    }

    pub(super) fn is_failed_request(&self, request_id: &str) -> bool {
        self.failed_requests.contains(request_id)
    }
}
