//! Makes and reverses refunds.

use serde::Deserialize;
use time::OffsetDateTime;

use super::change::{Change, check};
use super::operation::{CURRENCY, Operation, OperationType};
use super::order::{RefundOrder, Stamp};
use super::payment::Payment;
use super::requirement::Requirement;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundReversal {
    /// In minor units. `None` means the part that is not reversed yet.
    pub amount: Option<u64>,
    /// Whether messages name the merchant's id of the refund.
    #[serde(default)]
    pub with_merchant_refund_id: bool,
}

impl Payment {
    /// Accepts a refund, which [`Payment::settle_refund`] carries out or declines later. An amount above the remaining
    /// amount is also accepted.
    ///
    /// A repeated `merchant_refund_id` is always refused with the code 3230, even if no money remains.
    pub fn refund(&mut self, order: RefundOrder, stamp: Stamp) -> Result<(), Code> {
        let is_same = |refund: &Operation| {
            refund.merchant_refund_id.is_some()
                && refund.merchant_refund_id == order.merchant_refund_id
        };
        if self.of_type(OperationType::Refund).any(is_same) {
            return Err(codes::REFUND_EXISTS);
        }
        check(self.is_refundable())?;
        let amount = match order.sum {
            None => self.remaining(),
            Some((amount, currency)) if currency == CURRENCY => amount,
            Some(_) => return Err(codes::REFUND_CURRENCY),
        };
        let mut refund = Operation::new(OperationType::Refund, amount, stamp);
        refund.merchant_refund_id = order.merchant_refund_id;
        self.operations.push(refund);
        Ok(())
    }

    /// The refund and the payment change to `external processing`.
    pub fn pass_refund_to_provider(
        &mut self,
        id: u64,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        check(is_undecided(self.operation(id)?))?;
        let external = (Status::ExternalProcessing, codes::AWAITING_PROVIDER);
        self.set_status(id, external, now)
    }

    /// Declines an accepted refund of 0 or of more than the remaining amount. If data is missing, requests
    /// clarification. Otherwise carries out the refund.
    pub fn settle_refund(
        &mut self,
        id: u64,
        requirement: &Requirement,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let refund = self.operation(id)?;
        check(is_undecided(refund))?;
        if refund.amount == 0 || refund.amount > self.remaining() {
            return self.set_status(id, (Status::Decline, codes::REFUND_TOO_LARGE), now);
        }
        match requirement.clarification(&refund.data) {
            Some(missing) => self.request_clarification(id, missing, now),
            None => self.set_status(id, (Status::Success, codes::SUCCESS), now),
        }
    }

    /// Reverses all or a part of a successful refund.
    pub fn reverse_refund(
        &mut self,
        id: u64,
        reversal: RefundReversal,
        stamp: Stamp,
    ) -> Result<Change, Code> {
        let refund = self.operation(id)?;
        check(refund.kind == OperationType::Refund && refund.status == Status::Success)?;
        let unreversed = self.unreversed_part(refund);
        let amount = reversal.amount.unwrap_or(unreversed);
        if amount == 0 || amount > unreversed {
            return Err(codes::REFUND_TOO_LARGE);
        }
        let now = stamp.now;
        let mut operation = Operation::after(refund, OperationType::RefundReverse, amount, stamp);
        if reversal.with_merchant_refund_id {
            operation.merchant_refund_id = refund.merchant_refund_id.clone();
        }
        operation.set_status(Status::Success, codes::SUCCESS, now);
        self.begin(operation)
    }
}

fn is_undecided(refund: &Operation) -> bool {
    let is_undecided = matches!(
        refund.status,
        Status::Processing | Status::ExternalProcessing
    );
    refund.kind == OperationType::Refund && is_undecided
}
