//! Clarification: an operation waits for data, and continues or is declined.

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::clarification::{Clarification, merge};
use super::operation::OperationType;
use super::payment::Payment;
use super::status::Status;
use super::store::{Change, Records, check, set_status, update};
use crate::platform::messages::codes::{self, Code};

/// The effect of a clarification request.
#[derive(Debug)]
pub enum Clarified {
    /// Data is still missing.
    Incomplete(Box<Change>),
    /// The sale is in `processing` again.
    SaleContinues,
    /// The refund with this id is in `processing` again.
    RefundContinues(u64),
}

impl Records {
    /// Applies the data of a clarification request.
    pub fn clarify(
        &mut self,
        payment_id: &str,
        added: &Map<String, Value>,
        now: OffsetDateTime,
    ) -> Result<Clarified, Code> {
        let payment = self.find(payment_id)?;
        let waiting = payment.awaiting_clarification();
        let waiting = waiting.ok_or(codes::STATUS_FORBIDS)?;
        let (id, is_sale) = (waiting.id, waiting.kind == OperationType::Sale);
        let clarification = waiting.clarification.clone();
        let data = if is_sale {
            let mut data = payment.customer_data();
            merge(&mut data, added);
            if let Some(Value::Object(customer)) = data.get("customer") {
                payment.order.customer = customer.clone();
            }
            data
        } else {
            let operation = payment.operation_mut(id).ok_or(codes::STATUS_FORBIDS)?;
            merge(&mut operation.data, added);
            operation.data.clone()
        };
        let next = clarification.and_then(|earlier| earlier.requirement.clarification(&data));
        if let Some(next) = next {
            let change = request_clarification(payment, id, next, now)?;
            return Ok(Clarified::Incomplete(Box::new(change)));
        }
        set_status(payment, id, (Status::Processing, codes::AWAITING), now)?;
        Ok(match is_sale {
            true => Clarified::SaleContinues,
            false => Clarified::RefundContinues(id),
        })
    }

    /// Declines an operation at the time limit of a clarification, unless a later step has begun.
    pub fn end_clarification(
        &mut self,
        payment_id: &str,
        (operation_id, step): (u64, u32),
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let operation = payment.operation(operation_id).ok_or(codes::NOT_FOUND)?;
        let is_waiting = operation.status == Status::AwaitingClarification;
        check(is_waiting && operation.clarification_step == step)?;
        let declined = (Status::Decline, codes::NEED_CLARIFICATION);
        set_status(payment, operation_id, declined, now)
    }
}

/// Requests clarification of an operation.
pub fn request_clarification(
    payment: &mut Payment,
    operation_id: u64,
    clarification: Clarification,
    now: OffsetDateTime,
) -> Result<Change, Code> {
    update(payment, operation_id, now, |payment| {
        if let Some(operation) = payment.operation_mut(operation_id) {
            operation.clarify(clarification, now);
        }
    })
}
