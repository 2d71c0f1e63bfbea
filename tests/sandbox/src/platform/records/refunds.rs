//! Makes refunds, and reverses refunds.

use serde::Deserialize;
use time::OffsetDateTime;

use super::change::{Change, check};
use super::operation::{CURRENCY, Operation, OperationType};
use super::order::{RefundOrder, Stamp};
use super::payment::Payment;
use super::requirement::Requirement;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

/// A reversal of a refund.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundReversal {
    /// Minor units. `None` means the part of the refund that is not reversed yet.
    pub amount: Option<u64>,
    /// Whether messages about the reversal contain the merchant's id of the refund.
    #[serde(default)]
    pub with_merchant_refund_id: bool,
}

impl Payment {
    /// Accepts a refund. [`Payment::settle_refund`] carries out or declines the refund later.
    ///
    /// A repeat of a `merchant_refund_id` is always refused with the code for a repeat, even if no money remains. An
    /// amount above the remaining amount is accepted here, and [`Payment::settle_refund`] declines the refund.
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

    /// Passes an accepted refund to the provider. The refund and the payment are then in `external processing`.
    pub fn pass_refund_to_provider(
        &mut self,
        id: u64,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        check(is_undecided(self.operation(id)?))?;
        let external = (Status::ExternalProcessing, codes::AWAITING_PROVIDER);
        self.set_status(id, external, now)
    }

    /// Decides about an accepted refund.
    ///
    /// Declines the refund if its amount is 0 or exceeds the remaining amount. Requests clarification if data is
    /// missing. Otherwise the refund succeeds.
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

    /// Reverses a successful refund, in full or in part.
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
