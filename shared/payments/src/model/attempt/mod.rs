//! The open attempt to take the money of an order: its sale and its checkout.

pub mod checkout;
pub mod gate_request;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::gate_request::GateRequest;
use super::is_zero;
use super::order::Channel;
use crate::model::timestamp::{Timestamp, millis};

/// The open attempt. Only a payment that has failed gets another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// How many attempts failed before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::model) number: u32,
    /// When it started.
    #[serde(with = "millis")]
    pub(in crate::model) started_at: Timestamp,
    /// Its sale request.
    #[serde(default, skip_serializing_if = "GateRequest::is_not_sent")]
    pub(in crate::model) request: GateRequest,
    /// The platform's names of the sale requests of the attempts that failed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(in crate::model) failed_requests: BTreeSet<String>,
    /// The digest of the clarification request that was answered, so that it is not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) answered_clarification: Option<String>,
    /// The checkout's end was emitted while the payment was undecided.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::model) expired: bool,
    /// The platform was polled for a redirect URL whose callback may be lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::model) polled_for_redirect: bool,
}

impl Attempt {
    /// The first attempt. Nothing is sent yet.
    pub(in crate::model) fn first(at: Timestamp) -> Self {
        Self {
            number: 0,
            started_at: at,
            request: GateRequest::NotSent,
            failed_requests: BTreeSet::new(),
            answered_clarification: None,
            expired: false,
            polled_for_redirect: false,
        }
    }

    /// The attempt after this one, which failed.
    pub(in crate::model) fn next(&self, at: Timestamp) -> Self {
        let failed = self.request.request_id().map(str::to_owned);
        Self {
            number: self.number.saturating_add(1),
            failed_requests: self.failed_requests.iter().cloned().chain(failed).collect(),
            ..Self::first(at)
        }
    }

    /// Starts it: a Gate sale is sent; a Payment Page link waits for the shopper.
    pub(in crate::model) fn start(&mut self, channel: Channel, polls_sent: u32, at: Timestamp) {
        self.started_at = at;
        match channel {
            Channel::Gate => self.request.send(polls_sent, at),
            Channel::PaymentPage => {}
        }
    }

    /// How many attempts failed before.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// When it started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Its sale request.
    pub fn request(&self) -> &GateRequest {
        &self.request
    }
}
