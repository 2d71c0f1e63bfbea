//! Refunds, and refunds that are taken back.

use time::OffsetDateTime;

use super::sales::ask;
use super::{Change, Records, begin, enter, key};
use crate::platform::clarification::Requirement;
use crate::platform::codes::{self, Code};
use crate::platform::operation::{CURRENCY, Kind, Operation, Status};
use crate::platform::order::{Marks, RefundOrder};

impl Records {
    /// Takes a refund, which [`Records::settle_refund`] carries out or declines.
    ///
    /// A repeat is refused as a repeat even when nothing is left: its sender asks for the first request. An amount
    /// above what is left does not refuse the request; the operation is declined later.
    pub fn refund(&mut self, order: RefundOrder, marks: Marks) -> Result<(), Code> {
        let payment = self.find(&order.payment_id)?;
        let repeats = |refund: &Operation| {
            refund.merchant_refund_id.is_some()
                && refund.merchant_refund_id == order.merchant_refund_id
        };
        if payment.refunds().any(repeats) {
            return Err(codes::REFUND_EXISTS);
        }
        if !payment.is_refundable() {
            return Err(codes::STATUS_FORBIDS);
        }
        let amount = match order.sum {
            None => payment.left(),
            Some((amount, currency)) if currency == CURRENCY => amount,
            Some(_) => return Err(codes::REFUND_CURRENCY),
        };
        let mut refund = Operation::new(Kind::Refund, amount, marks);
        refund.merchant_refund_id = order.merchant_refund_id;
        payment.operations.push(refund);
        Ok(())
    }

    /// Hands an accepted refund to the provider: refund and payment are in `external processing`.
    pub fn hand_over_refund(
        &mut self,
        payment_id: &str,
        operation_id: u64,
        now: OffsetDateTime,
    ) -> Option<Change> {
        let payment = self.payments.get_mut(&key(payment_id))?;
        let refund = payment.operation(operation_id)?;
        let external = (Status::ExternalProcessing, codes::AWAITING_PROVIDER);
        is_undecided(refund).then(|| enter(payment, operation_id, external, now))?
    }

    /// Carries out an accepted refund, declines it when it exceeds the money that is left, or asks for data.
    pub fn settle_refund(
        &mut self,
        payment_id: &str,
        operation_id: u64,
        requirement: &Requirement,
        now: OffsetDateTime,
    ) -> Option<Change> {
        let payment = self.payments.get_mut(&key(payment_id))?;
        let refund = payment.operation(operation_id)?;
        if !is_undecided(refund) {
            return None;
        }
        if refund.amount == 0 || refund.amount > payment.left() {
            let declined = (Status::Decline, codes::REFUND_TOO_LARGE);
            return enter(payment, operation_id, declined, now);
        }
        match requirement.question(&refund.data) {
            Some(question) => ask(payment, operation_id, question, now),
            None => {
                let done = (Status::Success, codes::SUCCESS);
                enter(payment, operation_id, done, now)
            }
        }
    }

    /// Takes a successful refund back, wholly or in part: the money is the merchant's again.
    pub fn reverse_refund(
        &mut self,
        payment_id: &str,
        refund_id: u64,
        amount: Option<u64>,
        keep_refund_id: bool,
        marks: Marks,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let refund = payment.operation(refund_id).ok_or(codes::NOT_FOUND)?;
        if refund.kind != Kind::Refund || refund.status != Status::Success {
            return Err(codes::STATUS_FORBIDS);
        }
        let left = payment.left_of_refund(refund);
        let amount = amount.unwrap_or(left);
        if amount == 0 || amount > left {
            return Err(codes::REFUND_TOO_LARGE);
        }
        let now = marks.now;
        let mut reverse = Operation::about(Kind::RefundReverse, amount, refund, marks);
        reverse.merchant_refund_id = refund.merchant_refund_id.clone().filter(|_| keep_refund_id);
        reverse.enter(Status::Success, codes::SUCCESS, now);
        begin(payment, reverse).ok_or(codes::NOT_FOUND)
    }
}

fn is_undecided(refund: &Operation) -> bool {
    let undecided = matches!(
        refund.status,
        Status::Processing | Status::ExternalProcessing
    );
    refund.kind == Kind::Refund && undecided
}
