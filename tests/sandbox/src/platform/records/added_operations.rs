//! Adds the operations that only control calls cause: manual changes, further sales, and operations of unknown types.

use serde::{Deserialize, Deserializer};

use super::change::{Change, check};
use super::operation::{Operation, OperationType};
use super::order::Stamp;
use super::payment::Payment;
use super::status::{Status, read_one_of, read_result};
use crate::platform::messages::codes::{self, Code};

/// The decision of the platform's support about a held payment.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManualChange {
    #[serde(deserialize_with = "read_result")]
    pub result: Status,
    /// In minor units. `None` means the amount that the bank charged.
    pub amount: Option<u64>,
    /// Whether the shopper's sale is also declined. Otherwise the sale keeps its status.
    #[serde(default)]
    pub decline_sale: bool,
}

/// A second charge of the same payment, or another try of the shopper.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FurtherSale {
    /// In minor units. `None` means the ordered amount.
    pub amount: Option<u64>,
    #[serde(default = "success", deserialize_with = "read_first_status")]
    pub status: Status,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleResult {
    #[serde(deserialize_with = "read_result")]
    pub status: Status,
}

/// An operation whose type the simulation does not know.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherOperation {
    #[serde(rename = "type")]
    pub name: String,
    /// In minor units. `None` means the ordered amount.
    pub amount: Option<u64>,
    #[serde(default = "success", deserialize_with = "read_first_status")]
    pub status: Status,
    /// Whether the operation takes money from the shopper. `payment.sum` includes this money.
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

impl Payment {
    pub fn change_manually(&mut self, change: ManualChange, stamp: Stamp) -> Result<Change, Code> {
        let sale = self.sale().ok_or(codes::STATUS_FORBIDS)?;
        check(self.held.is_some())?;
        let (sale_id, now, id) = (sale.id, stamp.now, stamp.operation_id);
        let amount = change.amount.unwrap_or(sale.moved);
        let mut operation = Operation::after(sale, OperationType::ManualChange, amount, stamp);
        operation.set_status(change.result, code_of(change.result), now);
        self.change(id, now, |payment| {
            payment.held = None;
            let sale = payment.operation_mut(sale_id);
            if let Some(sale) = sale.filter(|_| change.decline_sale) {
                sale.set_status(Status::Decline, codes::CANCELLED_BY_OWNER, now);
            }
            payment.operations.push(operation);
        })
    }

    /// Refused if the payment has no sale, or has the status `error`.
    pub fn add_sale(&mut self, further: FurtherSale, stamp: Stamp) -> Result<Change, Code> {
        check(self.sale().is_some() && self.status() != Status::Error)?;
        let now = stamp.now;
        let amount = further.amount.unwrap_or(self.order.amount);
        let mut sale = Operation::new(OperationType::Sale, amount, stamp);
        sale.set_status(further.status, code_of(further.status), now);
        self.begin(sale)
    }

    /// Decides a further sale in `processing`. Refused for the shopper's first sale.
    pub fn settle_added_sale(
        &mut self,
        id: u64,
        result: SaleResult,
        stamp: Stamp,
    ) -> Result<Change, Code> {
        let sale = self.operation(id)?;
        let is_first = self.sale().is_some_and(|sale| sale.id == id);
        check(sale.kind == OperationType::Sale && sale.status == Status::Processing && !is_first)?;
        self.set_status(id, (result.status, code_of(result.status)), stamp.now)
    }

    /// Refused if the type is empty, if the simulation knows the type, or if the payment has the status `error`.
    pub fn add_other(&mut self, other: OtherOperation, stamp: Stamp) -> Result<Change, Code> {
        let simulated = OperationType::SIMULATED.map(OperationType::as_str);
        let is_other = !other.name.is_empty() && !simulated.contains(&other.name.as_str());
        check(is_other && self.status() != Status::Error)?;
        let now = stamp.now;
        let amount = other.amount.unwrap_or(self.order.amount);
        let mut operation = Operation {
            other_type: Some(other.name),
            is_charge: other.takes_money,
            ..Operation::new(OperationType::Other, amount, stamp)
        };
        operation.set_status(other.status, code_of(other.status), now);
        self.begin(operation)
    }
}

fn code_of(status: Status) -> Code {
    match status {
        Status::Success => codes::SUCCESS,
        Status::Decline => codes::CANCELLED_BY_OWNER,
        _ => codes::AWAITING,
    }
}
