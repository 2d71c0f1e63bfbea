//! Finds the platform's open requests for clarification, and records which requests were answered. The platform makes
//! such a request if it needs more data to process a sale or a refund.

use ecommpay::report::ClarificationField;

use crate::model::payment::Payment;
use crate::model::refunds::refund::Refund;
use crate::model::reported::waiting::Waiting;

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

    /// Records that the platform accepted the answer to a request for clarification. Our answer names only the payment,
    /// so the digest shows which request was answered: a request about a refund, or the request to the shopper.
    pub(crate) fn record_clarification_answer(&mut self, digest: &str) {
        let requests = |refund: &Refund| {
            let waiting = self.clarification_request_of(refund);
            waiting.is_some_and(|waiting| waiting.digest() == digest)
        };
        let answered = match self.refunds.iter().position(requests) {
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
