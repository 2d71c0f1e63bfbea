//! Defines one operation of a payment: its type, its status and its amounts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::order::Stamp;
use super::requirement::Clarification;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

/// The only currency of Bancontact.
pub const CURRENCY: &str = "EUR";

/// An amount in messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Money {
    /// Minor units.
    pub amount: u64,
    /// ISO 4217.
    pub currency: String,
}

impl Money {
    /// Returns an amount in euro cents.
    pub fn euros(amount: u64) -> Self {
        let currency = CURRENCY.to_owned();
        Self { amount, currency }
    }
}

/// The type of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationType {
    /// Charges the shopper.
    Sale,
    /// Refunds the shopper.
    Refund,
    /// Reverses a refund.
    RefundReverse,
    /// Waits for the crediting of a sale.
    PaymentConfirmation,
    /// Reverses a sale whose crediting was not confirmed.
    Reversal,
    /// The platform's support decides about a held payment.
    ManualChange,
    /// Sends a payment link.
    Invoice,
    /// Any type that the simulation does not know.
    Other,
}

impl OperationType {
    /// All types except [`OperationType::Other`].
    pub const SIMULATED: [OperationType; 7] = [
        OperationType::Sale,
        OperationType::Refund,
        OperationType::RefundReverse,
        OperationType::PaymentConfirmation,
        OperationType::Reversal,
        OperationType::ManualChange,
        OperationType::Invoice,
    ];

    /// Returns the spelling of the platform.
    pub fn as_str(self) -> &'static str {
        match self {
            OperationType::Sale => "sale",
            OperationType::Refund => "refund",
            OperationType::RefundReverse => "refund reverse",
            OperationType::PaymentConfirmation => "payment confirmation",
            OperationType::Reversal => "reversal",
            OperationType::ManualChange => "manual change",
            OperationType::Invoice => "invoice",
            OperationType::Other => "other",
        }
    }
}

/// One operation of a payment.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: u64,
    pub kind: OperationType,
    /// The type in messages, if `kind` is [`OperationType::Other`].
    pub other_type: Option<String>,
    /// Whether the operation charges the shopper if the operation succeeds.
    pub is_charge: bool,
    pub status: Status,
    /// The time at which the operation started.
    pub created: OffsetDateTime,
    /// The time of the last change.
    pub date: OffsetDateTime,
    /// The id of the request that caused the operation.
    pub request_id: String,
    /// The requested amount, in minor units.
    pub amount: u64,
    /// The amount that the operation really moves if the operation succeeds, in minor units.
    pub moved: u64,
    /// The amount that a successful charge adds to `payment.sum`, in minor units.
    pub counted: u64,
    /// `operation.sum_initial` in messages.
    pub sum_initial: Money,
    /// `operation.sum_converted` in messages.
    pub sum_converted: Money,
    /// The result code.
    pub code: Code,
    /// The merchant's id of a refund.
    pub merchant_refund_id: Option<String>,
    /// The id of the operation that this operation continues or reverses.
    pub original: Option<u64>,
    /// The request for missing data, while the operation waits for the data.
    pub clarification: Option<Clarification>,
    /// The data that the merchant's clarification requests have sent for a refund. The data of a sale is in the
    /// customer of the order.
    pub data: Map<String, Value>,
    /// The number of times the platform has requested clarification. Each request has its own time limit.
    pub clarification_step: u32,
}

impl Operation {
    /// Returns a new operation, in `processing`.
    pub fn new(kind: OperationType, amount: u64, stamp: Stamp) -> Self {
        Self {
            id: stamp.operation_id,
            kind,
            other_type: None,
            is_charge: matches!(kind, OperationType::Sale | OperationType::ManualChange),
            status: Status::Processing,
            created: stamp.now,
            date: stamp.now,
            request_id: stamp.request_id,
            amount,
            moved: amount,
            counted: amount,
            sum_initial: Money::euros(amount),
            sum_converted: Money::euros(amount),
            code: codes::AWAITING,
            merchant_refund_id: None,
            original: None,
            clarification: None,
            data: Map::new(),
            clarification_step: 0,
        }
    }

    /// Returns a new operation that continues or reverses `original`, with the same request id as `original`.
    pub fn after(original: &Operation, kind: OperationType, amount: u64, stamp: Stamp) -> Self {
        Self {
            request_id: original.request_id.clone(),
            original: Some(original.id),
            ..Self::new(kind, amount, stamp)
        }
    }

    /// Like [`Operation::after`], but messages show the sums of `original`.
    pub fn with_sums_of(
        original: &Operation,
        kind: OperationType,
        amount: u64,
        stamp: Stamp,
    ) -> Self {
        Self {
            sum_initial: original.sum_initial.clone(),
            sum_converted: original.sum_converted.clone(),
            ..Self::after(original, kind, amount, stamp)
        }
    }

    /// Returns the type in messages.
    pub fn type_name(&self) -> &str {
        self.other_type.as_deref().unwrap_or(self.kind.as_str())
    }

    /// Changes the status. The operation no longer waits for clarification.
    pub fn set_status(&mut self, status: Status, code: Code, now: OffsetDateTime) {
        self.status = status;
        self.code = code;
        self.date = now;
        self.clarification = None;
    }

    /// Requests clarification.
    pub fn clarify(&mut self, clarification: Clarification, now: OffsetDateTime) {
        self.set_status(
            Status::AwaitingClarification,
            codes::NEED_CLARIFICATION,
            now,
        );
        self.clarification = Some(clarification);
        self.clarification_step += 1;
    }
}
