//! The platform's record of one payment: the order, the operations, and the money that follows from them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::operation::{Kind, Money, Operation, Status};
use super::order::SaleOrder;

/// One payment. Its status follows from all this by [`Payment::status`].
#[derive(Debug, Clone)]
pub struct Payment {
    /// What was ordered.
    pub order: SaleOrder,
    /// When status or sum last changed.
    pub date: OffsetDateTime,
    /// In the order of their beginnings.
    pub operations: Vec<Operation>,
    /// The unguessable name of its pages.
    pub token: String,
    /// The confirmation procedure of the shopper's sale, if there is one.
    pub confirmation: Option<Confirmation>,
    /// Held in this status until support settles it by a manual change.
    pub held: Option<Status>,
    /// The currency of `payment.sum`.
    pub currency: String,
}

/// The confirmation procedure of a sale (protocol-2.md section 2).
#[derive(Debug, Clone, Copy)]
pub struct Confirmation {
    /// The payment's status before the operation `payment confirmation` has begun.
    pub first_status: Status,
    /// Whether a reversal follows the decline.
    pub reverses: bool,
}

impl Payment {
    /// A new payment.
    pub fn new(order: SaleOrder, token: String, first: Operation) -> Self {
        Self {
            order,
            date: first.created,
            operations: vec![first],
            token,
            confirmation: None,
            held: None,
            currency: super::operation::CURRENCY.to_owned(),
        }
    }

    /// `payment.type` in messages.
    pub fn type_name(&self) -> &'static str {
        match self.invoice() {
            Some(_) => "invoice",
            None => "purchase",
        }
    }

    /// The operation with this number.
    pub fn operation(&self, id: u64) -> Option<&Operation> {
        self.operations.iter().find(|one| one.id == id)
    }

    /// The operation with this number.
    pub fn operation_mut(&mut self, id: u64) -> Option<&mut Operation> {
        self.operations.iter_mut().find(|one| one.id == id)
    }

    /// The first operation of a kind.
    pub fn first(&self, kind: &Kind) -> Option<&Operation> {
        self.operations.iter().find(|one| one.kind == *kind)
    }

    /// The shopper's sale. A Dashboard link has none before the shopper confirms.
    pub fn sale(&self) -> Option<&Operation> {
        self.first(&Kind::Sale)
    }

    /// The status of the shopper's sale.
    pub fn sale_status(&self) -> Option<Status> {
        self.sale().map(|sale| sale.status)
    }

    /// The operation that sends a Dashboard link.
    pub fn invoice(&self) -> Option<&Operation> {
        self.first(&Kind::Invoice)
    }

    /// The refunds.
    pub fn refunds(&self) -> impl Iterator<Item = &Operation> {
        self.succeeded_or_not(|kind| *kind == Kind::Refund)
    }

    /// The operations that took money, confirmed or not.
    pub fn charges(&self) -> impl Iterator<Item = &Operation> {
        self.succeeded(Kind::is_charge)
    }

    /// The operation that waits for data; requests name only the payment, so the oldest is answered.
    pub fn asking(&self) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|one| one.status == Status::AwaitingClarification)
    }

    /// Whether money of this successful charge is not confirmed.
    pub fn is_unconfirmed(&self, charge: &Operation) -> bool {
        let confirmed = || {
            let confirmation = self.first(&Kind::Confirmation);
            confirmation.is_some_and(|one| one.status == Status::Success)
        };
        let is_shoppers = self.sale().is_some_and(|sale| sale.id == charge.id);
        self.confirmation.is_some() && is_shoppers && !confirmed()
    }

    /// What an operation really did to the merchant's money, in minor units. The sum of all is [`Payment::left`].
    pub fn effect(&self, operation: &Operation) -> i64 {
        let moved = i64::try_from(operation.moved).unwrap_or(i64::MAX);
        match &operation.kind {
            _ if operation.status != Status::Success => 0,
            kind if kind.is_charge() && !self.is_unconfirmed(operation) => moved,
            Kind::Refund => -moved,
            Kind::RefundReverse => moved,
            // A reversal undoes money that was never credited.
            _ => 0,
        }
    }

    /// The money that really came, in minor units.
    pub fn came(&self) -> u64 {
        self.charges()
            .filter(|charge| !self.is_unconfirmed(charge))
            .map(|charge| charge.moved)
            .sum()
    }

    /// The sum of the successful refunds, in minor units.
    pub fn went_back(&self) -> u64 {
        self.total(&Kind::Refund)
    }

    /// The sum of the refunds that were taken back, in minor units.
    pub fn taken_back(&self) -> u64 {
        self.total(&Kind::RefundReverse)
    }

    /// The money that is refunded now, in minor units.
    pub fn refunded(&self) -> u64 {
        self.went_back().saturating_sub(self.taken_back())
    }

    /// What remains of the money that really came; no refund can be larger.
    pub fn left(&self) -> u64 {
        self.came().saturating_sub(self.refunded())
    }

    /// The part of a refund that is not taken back, in minor units.
    pub fn left_of_refund(&self, refund: &Operation) -> u64 {
        let taken = self.succeeded(|kind| *kind == Kind::RefundReverse);
        let taken = taken.filter(|one| one.about == Some(refund.id));
        let taken = taken.map(|one| one.moved).sum();
        refund.moved.saturating_sub(taken)
    }

    /// `payment.sum` in messages: the charges less the refunds, confirmed or not; before any charge the order.
    pub fn sum(&self) -> Money {
        let mut charges = self.charges().map(|charge| charge.counted).peekable();
        let charged = match charges.peek() {
            None => self.order.amount,
            Some(_) => charges.sum(),
        };
        let reversed = self.total(&Kind::Reversal);
        Money {
            amount: charged.saturating_sub(self.refunded() + reversed),
            currency: self.currency.clone(),
        }
    }

    /// Whether a refund can be requested now. In a cascade the payment can stay in `processing` with money in it.
    pub fn is_refundable(&self) -> bool {
        match self.status_of_money() {
            Status::Success | Status::PartiallyRefunded => true,
            Status::Processing => self.left() > 0,
            _ => false,
        }
    }

    /// The data of the customer, in the form in which clarification requests bring data.
    pub fn customer_data(&self) -> Map<String, Value> {
        let customer = Value::Object(self.order.customer.clone());
        Map::from_iter([("customer".to_owned(), customer)])
    }

    /// Where the shopper goes after the bank.
    pub fn return_address(&self) -> &str {
        let urls = &self.order.return_url;
        let fitting = match self.sale_status() {
            Some(Status::Success) => urls.success.as_deref(),
            Some(Status::Decline) => urls.decline.as_deref(),
            _ => None,
        };
        fitting.unwrap_or(&urls.always)
    }

    /// The real money in minor units, for the control API.
    pub fn totals(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::from([
            ("came", self.came()),
            ("went_back", self.went_back()),
            ("taken_back", self.taken_back()),
            ("left", self.left()),
        ])
    }

    fn succeeded_or_not(&self, of: impl Fn(&Kind) -> bool) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |one| of(&one.kind))
    }

    fn succeeded(&self, of: impl Fn(&Kind) -> bool) -> impl Iterator<Item = &Operation> {
        self.succeeded_or_not(of)
            .filter(|one| one.status == Status::Success)
    }

    fn total(&self, kind: &Kind) -> u64 {
        self.succeeded(|one| one == kind).map(|one| one.moved).sum()
    }
}
