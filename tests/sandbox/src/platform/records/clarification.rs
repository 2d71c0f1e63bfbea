//! Handles clarifications. An operation waits for missing data and then continues. Without the data, the platform
//! declines the operation at a time limit.

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::change::{Change, check};
use super::operation::OperationType;
use super::payment::Payment;
use super::requirement::{Clarification, merge};
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

impl Payment {
    pub(super) fn request_clarification(
        &mut self,
        operation_id: u64,
        clarification: Clarification,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        self.change_operation(operation_id, now, |operation| {
            operation.clarify(clarification, now);
        })
    }

    /// Applies the merchant's data. If required data is still missing, the platform requests clarification again.
    pub fn clarify(
        &mut self,
        added: &Map<String, Value>,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let waiting = self.awaiting_clarification();
        let waiting = waiting.ok_or(codes::STATUS_FORBIDS)?;
        let (id, clarification) = (waiting.id, waiting.clarification.clone());
        let mut data = match waiting.kind {
            OperationType::Sale => self.customer_data(),
            _ => waiting.data.clone(),
        };
        merge(&mut data, added);
        if let (OperationType::Sale, Some(Value::Object(customer))) =
            (waiting.kind, data.get("customer"))
        {
            self.order.customer = customer.clone();
        }
        let requirement = clarification.map(|clarification| clarification.requirement);
        let missing = requirement.and_then(|requirement| requirement.clarification(&data));
        self.change_operation(id, now, |operation| {
            operation.data = data;
            match missing {
                Some(missing) => operation.clarify(missing, now),
                None => operation.set_status(Status::Processing, codes::AWAITING, now),
            }
        })
    }

    /// Declines an operation at the time limit of the platform's request for data with the number `step`.
    ///
    /// Refused if the operation no longer waits, or if the platform has requested data again.
    pub fn end_clarification(
        &mut self,
        operation_id: u64,
        step: u32,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let operation = self.operation(operation_id)?;
        let is_waiting = operation.status == Status::AwaitingClarification;
        check(is_waiting && operation.clarification_step == step)?;
        let declined = (Status::Decline, codes::NEED_CLARIFICATION);
        self.set_status(operation_id, declined, now)
    }
}
