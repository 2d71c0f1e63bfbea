//! Operations that only the control API adds: manual changes, further sales and operations of other types.

use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;

use super::operation::{Operation, OperationType};
use super::order::Stamp;
use super::status::{Status, read_one_of, read_result};
use super::store::{Change, Records, add_operation, check, set_status, update};
use crate::platform::messages::codes::{self, Code};

/// The decision of the platform's support about a held payment.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManualChange {
    #[serde(deserialize_with = "read_result")]
    pub result: Status,
    /// Minor units; the amount that the bank charged without it.
    pub amount: Option<u64>,
    /// Whether the shopper's sale is declined too. Otherwise it stays undecided.
    #[serde(default)]
    pub decline_sale: bool,
}

/// A further sale in the same payment: a second charge, or another attempt of a cascade.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FurtherSale {
    /// Minor units; the ordered amount without it.
    pub amount: Option<u64>,
    #[serde(default = "success", deserialize_with = "read_first_status")]
    pub status: Status,
}

/// An operation of a type that the platform otherwise does not simulate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherOperation {
    /// The type in messages.
    #[serde(rename = "type")]
    pub name: String,
    /// Minor units; the ordered amount without it.
    pub amount: Option<u64>,
    #[serde(default = "success", deserialize_with = "read_first_status")]
    pub status: Status,
    /// Whether it charges the shopper and counts in `payment.sum`.
    #[serde(default)]
    pub takes_money: bool,
}

fn success() -> Status {
    Status::Success
}

fn read_first_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    let allowed = [Status::Success, Status::Processing, Status::Decline];
    read_one_of(deserializer, &allowed)
}

impl Records {
    /// Decides about a held payment.
    pub fn manual_change(
        &mut self,
        payment_id: &str,
        change: ManualChange,
        stamp: Stamp,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let sale = payment.sale().ok_or(codes::STATUS_FORBIDS)?;
        check(payment.held.is_some())?;
        let (sale_id, now, id) = (sale.id, stamp.now, stamp.operation_id);
        let amount = change.amount.unwrap_or(sale.moved);
        let mut operation = Operation::after(sale, OperationType::ManualChange, amount, stamp);
        operation.set_status(change.result, code_of(change.result), now);
        update(payment, id, now, |payment| {
            payment.held = None;
            let sale = payment.operation_mut(sale_id);
            if let Some(sale) = sale.filter(|_| change.decline_sale) {
                sale.set_status(Status::Decline, codes::CANCELLED_BY_OWNER, now);
            }
            payment.operations.push(operation);
        })
    }

    /// Adds a further sale to a payment that has one.
    pub fn further_sale(
        &mut self,
        payment_id: &str,
        further: FurtherSale,
        stamp: Stamp,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        check(payment.sale().is_some() && payment.status() != Status::Error)?;
        let now = stamp.now;
        let amount = further.amount.unwrap_or(payment.order.amount);
        let mut sale = Operation::new(OperationType::Sale, amount, stamp);
        sale.set_status(further.status, code_of(further.status), now);
        add_operation(payment, sale)
    }

    /// Decides about a further sale that is in `processing`.
    pub fn settle_further_sale(
        &mut self,
        payment_id: &str,
        sale_id: u64,
        result: Status,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let operation = payment.operation(sale_id).ok_or(codes::NOT_FOUND)?;
        let is_further = payment.sale().is_some_and(|sale| sale.id != sale_id);
        let is_open =
            operation.kind == OperationType::Sale && operation.status == Status::Processing;
        check(is_open && is_further)?;
        set_status(payment, sale_id, (result, code_of(result)), now)
    }

    /// Adds an operation of another type.
    pub fn other_operation(
        &mut self,
        payment_id: &str,
        other: OtherOperation,
        stamp: Stamp,
    ) -> Result<Change, Code> {
        let simulated = OperationType::SIMULATED.map(OperationType::as_str);
        check(!other.name.is_empty() && !simulated.contains(&other.name.as_str()))?;
        let payment = self.find(payment_id)?;
        check(payment.status() != Status::Error)?;
        let now = stamp.now;
        let amount = other.amount.unwrap_or(payment.order.amount);
        let mut operation = Operation {
            other_type: Some(other.name),
            is_charge: other.takes_money,
            ..Operation::new(OperationType::Other, amount, stamp)
        };
        operation.set_status(other.status, code_of(other.status), now);
        add_operation(payment, operation)
    }
}

/// The result code of a status.
fn code_of(status: Status) -> Code {
    match status {
        Status::Success => codes::SUCCESS,
        Status::Decline => codes::CANCELLED_BY_OWNER,
        _ => codes::AWAITING,
    }
}
