//! The status that follows from everything known.

use serde::{Deserialize, Serialize};

use super::{GateRequest, Operation, Outcome, Payment, Verdict};

/// The status of a payment, as storefronts and events show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Stored; nothing sent yet.
    Created,
    /// The sale is on its way, or its answer is not known.
    Processing,
    /// Redirect data is there.
    AwaitingCustomer,
    /// The platform asks for data.
    AwaitingClarification,
    /// Paid.
    Succeeded,
    /// Not paid.
    Declined,
    /// Not started.
    Failed,
    /// It looks like money, but not like what was ordered.
    Quarantined,
    /// A part went back.
    PartiallyRefunded,
    /// All went back.
    Refunded,
    /// Nobody created it here.
    Unmatched,
}

impl Status {
    /// Whether the shopper has nothing more to do.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            Status::Created
                | Status::Processing
                | Status::AwaitingCustomer
                | Status::AwaitingClarification
        )
    }

    /// Whether the sale of the payment was done as ordered.
    pub fn is_paid(self) -> bool {
        matches!(
            self,
            Status::Succeeded | Status::PartiallyRefunded | Status::Refunded
        )
    }
}

impl Payment {
    /// The operations that took money from the shopper.
    pub fn successful_sales(&self) -> impl Iterator<Item = &Operation> {
        self.operations
            .values()
            .filter(|operation| operation.is_successful_sale())
    }

    /// Whether the shopper has paid: by a sale, or by what an operator took as one.
    pub fn has_taken_money(&self) -> bool {
        let released = || {
            let decisions = self.decisions.iter();
            let released = decisions.filter(|decision| decision.verdict == Verdict::Released);
            released.flat_map(|decision| &decision.doubts)
        };
        let took_money = |id: &str, operation: &Operation| {
            operation.is_successful_sale()
                || operation.took_money
                || operation.outcome == Outcome::Succeeded
                    && !operation.is_refund()
                    && released().any(|doubt| doubt.operation_id == id)
        };
        self.operations
            .iter()
            .any(|(id, operation)| took_money(id, operation))
    }

    /// The status that follows from everything known.
    ///
    /// An end (declined, failed) is only ever followed by a success, never by an intermediate
    /// status, whatever comes in which order.
    pub fn status(&self) -> Status {
        if self.order.is_none() {
            Status::Unmatched
        } else if self.is_rejected() {
            Status::Refunded
        } else if !self.doubts().is_empty() {
            Status::Quarantined
        } else if self.has_taken_money() {
            match self.refunded_amount() {
                0 => Status::Succeeded,
                refunded if refunded < self.paid_amount() => Status::PartiallyRefunded,
                _ => Status::Refunded,
            }
        } else if self.decline().is_some() {
            Status::Declined
        } else if self.refusal_code().is_some() {
            Status::Failed
        } else {
            self.status_while_open()
        }
    }

    fn status_while_open(&self) -> Status {
        let unanswered = matches!(
            self.sale,
            GateRequest::None | GateRequest::Sending { again: false, .. }
        );
        if !self.clarification_fields().is_empty() {
            Status::AwaitingClarification
        } else if self.redirect().is_some() || self.has_unused_link() {
            Status::AwaitingCustomer
        } else if unanswered && self.operations.is_empty() {
            Status::Created
        } else {
            Status::Processing
        }
    }

    /// The code with which it came to nothing.
    pub(crate) fn end_code(&self, status: Status) -> Option<&str> {
        match status {
            Status::Declined => self.decline()?.code.as_deref(),
            Status::Failed => self.refusal_code(),
            _ => None,
        }
    }

    /// The declined sale that ended the payment.
    pub fn decline(&self) -> Option<&Operation> {
        self.sales()
            .filter(|operation| operation.ends_payment || operation.taken_back)
            .max_by(|left, right| left.news.cmp(&right.news))
    }
}
