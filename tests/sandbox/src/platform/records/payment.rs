//! Defines a payment: its order, its operations, and the money that they moved.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::operation::{CURRENCY, Money, Operation, OperationType};
use super::order::{SaleOrder, Stamp};
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

/// [`Payment::status`] derives the status from the operations.
#[derive(Debug, Clone)]
pub struct Payment {
    pub order: SaleOrder,
    /// The last change of the status or the sum.
    pub date: OffsetDateTime,
    /// In the order of creation.
    pub operations: Vec<Operation>,
    /// The secret part of the payment's URLs.
    pub token: String,
    /// Set if the shopper's sale has the confirmation procedure.
    pub confirmation: Option<Confirmation>,
    /// The status of a held payment. `None` if the payment is not held.
    pub held: Option<Status>,
    pub currency: String,
}

#[derive(Debug, Clone, Copy)]
pub struct Confirmation {
    /// The status of the payment before the operation `payment confirmation` exists.
    pub first_status: Status,
    /// Whether the platform reverses the sale, because the money was not credited.
    pub reverses: bool,
}

impl Payment {
    pub fn with_sale(order: SaleOrder, token: String, stamp: Stamp) -> Self {
        let sale = Operation::new(OperationType::Sale, order.amount, stamp);
        Self::new(order, token, sale)
    }

    pub fn with_link(order: SaleOrder, token: String, stamp: Stamp) -> Self {
        let mut invoice = Operation::new(OperationType::Invoice, order.amount, stamp);
        invoice.status = Status::AwaitingPayment;
        Self::new(order, token, invoice)
    }

    fn new(order: SaleOrder, token: String, first: Operation) -> Self {
        Self {
            order,
            date: first.created,
            operations: vec![first],
            token,
            confirmation: None,
            held: None,
            currency: CURRENCY.to_owned(),
        }
    }

    pub fn type_name(&self) -> &'static str {
        match self.invoice() {
            Some(_) => "invoice",
            None => "purchase",
        }
    }

    pub fn operation(&self, id: u64) -> Result<&Operation, Code> {
        let operation = self.operations.iter().find(|operation| operation.id == id);
        operation.ok_or(codes::NOT_FOUND)
    }

    pub(super) fn operation_mut(&mut self, id: u64) -> Option<&mut Operation> {
        let mut operations = self.operations.iter_mut();
        operations.find(|operation| operation.id == id)
    }

    pub fn first(&self, kind: OperationType) -> Option<&Operation> {
        self.of_type(kind).next()
    }

    /// A payment link has no sale before the shopper confirms it.
    pub fn sale(&self) -> Option<&Operation> {
        self.first(OperationType::Sale)
    }

    pub fn sale_status(&self) -> Option<Status> {
        self.sale().map(|sale| sale.status)
    }

    pub fn invoice(&self) -> Option<&Operation> {
        self.first(OperationType::Invoice)
    }

    pub fn of_type(&self, kind: OperationType) -> impl Iterator<Item = &Operation> {
        let operations = self.operations.iter();
        operations.filter(move |operation| operation.kind == kind)
    }

    /// Returns the successful charges, even if their money is not confirmed.
    pub fn charges(&self) -> impl Iterator<Item = &Operation> {
        let operations = self.operations.iter();
        operations.filter(|operation| operation.is_charge && operation.status == Status::Success)
    }

    /// Returns the operation that receives the next clarification data: the oldest that waits. A clarification request
    /// names only the payment.
    pub fn awaiting_clarification(&self) -> Option<&Operation> {
        let mut operations = self.operations.iter();
        operations.find(|operation| operation.status == Status::AwaitingClarification)
    }

    /// Whether this charge has a confirmation procedure that has not succeeded.
    pub fn is_unconfirmed(&self, charge: &Operation) -> bool {
        let is_confirmed = || {
            let confirmation = self.first(OperationType::PaymentConfirmation);
            confirmation.is_some_and(|operation| operation.status == Status::Success)
        };
        let is_shoppers = self.sale().is_some_and(|sale| sale.id == charge.id);
        self.confirmation.is_some() && is_shoppers && !is_confirmed()
    }

    /// Returns what an operation added to the merchant's money, in minor units.
    ///
    /// The sum of all effects is [`Payment::remaining`]. If the sum is below 0, [`Payment::remaining`] is 0.
    pub fn effect(&self, operation: &Operation) -> i64 {
        let moved = i64::try_from(operation.moved).unwrap_or(i64::MAX);
        match operation.kind {
            _ if operation.status != Status::Success => 0,
            _ if operation.is_charge && !self.is_unconfirmed(operation) => moved,
            OperationType::Refund => -moved,
            OperationType::RefundReverse => moved,
            // A reversal changes nothing, because the reversed money was never credited.
            _ => 0,
        }
    }

    /// Returns the confirmed money of the charges, in minor units.
    pub fn received(&self) -> u64 {
        self.charges()
            .filter(|charge| !self.is_unconfirmed(charge))
            .map(|charge| charge.moved)
            .sum()
    }

    /// Returns the refunds less the reversed refunds, in minor units.
    pub fn refunded(&self) -> u64 {
        let reversed = self.total(OperationType::RefundReverse);
        self.total(OperationType::Refund).saturating_sub(reversed)
    }

    /// Returns the maximum amount of a refund, in minor units.
    pub fn remaining(&self) -> u64 {
        self.received().saturating_sub(self.refunded())
    }

    pub fn unreversed_part(&self, refund: &Operation) -> u64 {
        let reversals = self.succeeded(OperationType::RefundReverse);
        let reversals = reversals.filter(|reversal| reversal.original == Some(refund.id));
        let reversed = reversals.map(|reversal| reversal.moved).sum();
        refund.moved.saturating_sub(reversed)
    }

    /// Returns `payment.sum` in messages: the charges less the refunds and reversals.
    ///
    /// Unconfirmed charges also count. If there is no charge, the ordered amount counts instead.
    pub fn sum(&self) -> Money {
        let mut charges = self.charges().map(|charge| charge.counted).peekable();
        let charged = match charges.peek() {
            None => self.order.amount,
            Some(_) => charges.sum(),
        };
        let reversed = self.total(OperationType::Reversal);
        Money {
            amount: charged.saturating_sub(self.refunded() + reversed),
            currency: self.currency.clone(),
        }
    }

    /// Whether the payment can be refunded. In `processing`, one sale can have succeeded while another sale is still
    /// open.
    pub fn is_refundable(&self) -> bool {
        match self.status_of_money() {
            Status::Success | Status::PartiallyRefunded => true,
            Status::Processing => self.remaining() > 0,
            _ => false,
        }
    }

    /// Returns the customer in the form of a clarification request.
    pub fn customer_data(&self) -> Map<String, Value> {
        let customer = Value::Object(self.order.customer.clone());
        Map::from_iter([("customer".to_owned(), customer)])
    }

    /// Where the bank redirects the shopper.
    pub fn return_url(&self) -> &str {
        let urls = &self.order.return_urls;
        let url = match self.sale_status() {
            Some(Status::Success) => urls.success.as_deref(),
            Some(Status::Decline) => urls.decline.as_deref(),
            _ => None,
        };
        url.unwrap_or(&urls.default)
    }

    /// In minor units, for the control API.
    pub fn totals(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::from([
            ("received", self.received()),
            ("refunded", self.total(OperationType::Refund)),
            ("reversed", self.total(OperationType::RefundReverse)),
            ("remaining", self.remaining()),
        ])
    }

    fn succeeded(&self, kind: OperationType) -> impl Iterator<Item = &Operation> {
        self.of_type(kind)
            .filter(|operation| operation.status == Status::Success)
    }

    fn total(&self, kind: OperationType) -> u64 {
        self.succeeded(kind).map(|operation| operation.moved).sum()
    }
}
