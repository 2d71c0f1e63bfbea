//! Handles the platform's clarification requests: requests for more data to process a sale or a refund. Records which
//! requests were answered, and how often data was sent.

use ecommpay::report::ClarificationField;
use serde::{Deserialize, Serialize};

use crate::model::payment::Payment;
use crate::model::refunds::refund::Refund;
use crate::model::reported::waiting::Waiting;
use crate::sha256;

/// How often data was sent for the same fields. The count restarts when the platform requests other fields.
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

    /// Returns the platform's unanswered request to the shopper.
    pub fn clarification_request(&self) -> Option<&Waiting> {
        let answered = self.attempt.answered_clarification.as_ref();
        unanswered(self.waiting()?, answered)
    }

    /// Returns the platform's unanswered request about a refund.
    pub fn clarification_request_of(&self, refund: &Refund) -> Option<&Waiting> {
        let operation = self.operation(refund.operation_id()?)?;
        unanswered(operation.waiting()?, refund.answered_clarification.as_ref())
    }

    /// Returns how often data was sent for the fields of the request with this digest; `None` if the request is not
    /// open.
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

    /// Counts a try to answer the request with this digest. Has no effect if the request is not open.
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

    fn refund_of_request(&self, digest: &str) -> Option<usize> {
        self.refunds.iter().position(|refund| {
            let waiting = self.clarification_request_of(refund);
            waiting.is_some_and(|waiting| waiting.digest() == digest)
        })
    }

    /// Records that the platform accepted the answer to the request with this digest. The request is about a refund or
    /// about the sale.
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
