//! Finds the platform's open requests for clarification, and records which requests were answered and how often data was
//! sent. The platform makes such a request if it needs more data to process a sale or a refund.

use ecommpay::report::ClarificationField;
use serde::{Deserialize, Serialize};

use crate::model::payment::Payment;
use crate::model::refunds::refund::Refund;
use crate::model::reported::waiting::Waiting;
use crate::sha256;

/// How often data was sent for the same requested fields. If the platform requests other fields, the count starts again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::model) struct ClarificationTries {
    /// The start of the SHA-256 of the names of the fields.
    fields: String,
    count: u32,
}

impl Payment {
    /// Returns the fields that the platform requests from the shopper; empty if the request was answered.
    pub fn clarification_fields(&self) -> &[ClarificationField] {
        self.clarification_request()
            .map_or(&[], Waiting::clarification_fields)
    }

    /// Returns the platform's request to the shopper; `None` if the request was answered.
    pub fn clarification_request(&self) -> Option<&Waiting> {
        let answered = self.attempt.answered_clarification.as_ref();
        unanswered(self.waiting()?, answered)
    }

    /// Returns the platform's request about a refund; `None` if the request was answered.
    pub fn clarification_request_of(&self, refund: &Refund) -> Option<&Waiting> {
        let operation = self.operation(refund.operation_id()?)?;
        unanswered(operation.waiting()?, refund.answered_clarification.as_ref())
    }

    /// Returns how often data was sent for the fields that the platform requests in the request with this digest. Returns
    /// `None` if no open request has the digest.
    pub fn clarification_tries(&self, digest: &str) -> Option<u32> {
        let (request, tries) = match self.refund_of_request(digest) {
            Some(index) => {
                let refund = self.refunds.get(index)?;
                let request = self.clarification_request_of(refund)?;
                (request, &refund.clarification_tries)
            }
            None => (
                self.clarification_request()?,
                &self.attempt.clarification_tries,
            ),
        };
        let is_same = tries.fields == digest_of_fields(request);
        (request.digest() == digest).then_some(if is_same { tries.count } else { 0 })
    }

    /// Counts that data is sent in answer to the request with this digest. Does nothing if no open request has the
    /// digest.
    pub(crate) fn count_clarification_try(&mut self, digest: &str) {
        let Some(count) = self.clarification_tries(digest) else {
            return;
        };
        let of_refund = self.refund_of_request(digest);
        let request = match of_refund.and_then(|index| self.refunds.get(index)) {
            Some(refund) => self.clarification_request_of(refund),
            None => self.clarification_request(),
        };
        let fields = request.map(digest_of_fields).unwrap_or_default();
        let tries = match of_refund.and_then(|index| self.refunds.get_mut(index)) {
            Some(refund) => &mut refund.clarification_tries,
            None => &mut self.attempt.clarification_tries,
        };
        *tries = ClarificationTries {
            fields,
            count: count.saturating_add(1),
        };
    }

    /// Returns the index of the refund about which the request with this digest is.
    fn refund_of_request(&self, digest: &str) -> Option<usize> {
        self.refunds.iter().position(|refund| {
            let waiting = self.clarification_request_of(refund);
            waiting.is_some_and(|waiting| waiting.digest() == digest)
        })
    }

    /// Records that the platform accepted the answer to a request for clarification. Our answer names only the payment,
    /// so the digest shows which request was answered: a request about a refund, or the request to the shopper.
    pub(crate) fn record_clarification_answer(&mut self, digest: &str) {
        let answered = match self.refund_of_request(digest) {
            Some(index) => self
                .refunds
                .get_mut(index)
                .map(|refund| &mut refund.answered_clarification),
            None => Some(&mut self.attempt.answered_clarification),
        };
        if let Some(answered) = answered {
            *answered = Some(digest.to_owned());
        }
    }
}

fn unanswered<'a>(waiting: &'a Waiting, answered: Option<&String>) -> Option<&'a Waiting> {
    let is_answered = answered == Some(&waiting.digest());
    (!waiting.clarification_fields().is_empty() && !is_answered).then_some(waiting)
}

fn digest_of_fields(request: &Waiting) -> String {
    let fields = request.clarification_fields().iter();
    let mut names: Vec<&str> = fields.map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    sha256::start_of_hex(names.join("\n").as_bytes(), 16)
}
