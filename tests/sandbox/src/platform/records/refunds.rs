//! Refunds and their reversals.

use serde::Deserialize;
use time::OffsetDateTime;

use super::clarification::Requirement;
use super::clarifying::request_clarification;
use super::operation::{CURRENCY, Operation, OperationType};
use super::order::{RefundOrder, Stamp};
use super::status::Status;
use super::store::{Change, Records, add_operation, check, set_status};
use crate::platform::messages::codes::{self, Code};

/// A reversal of a refund.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundReversal {
    /// Minor units; everything that is not reversed without it.
    pub amount: Option<u64>,
    /// Whether messages name the merchant's id of the refund.
    #[serde(default)]
    pub with_merchant_refund_id: bool,
}

impl Records {
    /// Accepts a refund. [`Records::settle_refund`] carries it out or declines it.
    ///
    /// A repeat is refused as a repeat even if nothing remains. An amount above the remaining one is accepted, and the
    /// operation is declined later.
    pub fn refund(&mut self, order: RefundOrder, stamp: Stamp) -> Result<(), Code> {
        let payment = self.find(&order.payment_id)?;
        let is_same = |refund: &Operation| {
            refund.merchant_refund_id.is_some()
                && refund.merchant_refund_id == order.merchant_refund_id
        };
        if payment.of_type(OperationType::Refund).any(is_same) {
            return Err(codes::REFUND_EXISTS);
        }
        check(payment.is_refundable())?;
        let amount = match order.sum {
            None => payment.remaining(),
            Some((amount, currency)) if currency == CURRENCY => amount,
            Some(_) => return Err(codes::REFUND_CURRENCY),
        };
        let mut refund = Operation::new(OperationType::Refund, amount, stamp);
        refund.merchant_refund_id = order.merchant_refund_id;
        payment.operations.push(refund);
        Ok(())
    }

    /// Hands an accepted refund to the provider: refund and payment are in `external processing`.
    pub fn hand_over_refund(
        &mut self,
        payment_id: &str,
        refund_id: u64,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let refund = payment.operation(refund_id).ok_or(codes::NOT_FOUND)?;
        check(is_undecided(refund))?;
        let external = (Status::ExternalProcessing, codes::AWAITING_PROVIDER);
        set_status(payment, refund_id, external, now)
    }

    /// Carries out an accepted refund, declines it if it exceeds the remaining amount, or requests clarification.
    pub fn settle_refund(
        &mut self,
        payment_id: &str,
        refund_id: u64,
        requirement: &Requirement,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let refund = payment.operation(refund_id).ok_or(codes::NOT_FOUND)?;
        check(is_undecided(refund))?;
        if refund.amount == 0 || refund.amount > payment.remaining() {
            let declined = (Status::Decline, codes::REFUND_TOO_LARGE);
            return set_status(payment, refund_id, declined, now);
        }
        match requirement.clarification(&refund.data) {
            Some(missing) => request_clarification(payment, refund_id, missing, now),
            None => set_status(payment, refund_id, (Status::Success, codes::SUCCESS), now),
        }
    }

    /// Reverses a successful refund, in full or in part.
    pub fn reverse_refund(
        &mut self,
        payment_id: &str,
        refund_id: u64,
        reversal: RefundReversal,
        stamp: Stamp,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let refund = payment.operation(refund_id).ok_or(codes::NOT_FOUND)?;
        check(refund.kind == OperationType::Refund && refund.status == Status::Success)?;
        let unreversed = payment.unreversed_part(refund);
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
        add_operation(payment, operation)
    }
}

fn is_undecided(refund: &Operation) -> bool {
    let is_undecided = matches!(
        refund.status,
        Status::Processing | Status::ExternalProcessing
    );
    refund.kind == OperationType::Refund && is_undecided
}
