//! Defines an operation: its type, its status and its amounts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::order::Stamp;
use super::requirement::Clarification;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

/// The only currency of Bancontact.
pub const CURRENCY: &str = "EUR";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Money {
    /// In minor units.
    pub amount: u64,
    /// An ISO 4217 code.
    pub currency: String,
}

impl Money {
    pub fn euros(amount: u64) -> Self {
        let currency = CURRENCY.to_owned();
        Self { amount, currency }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationType {
    /// Charges the shopper.
    Sale,
    /// Refunds the shopper.
    Refund,
    /// Reverses a refund.
    RefundReverse,
    /// Shows whether the money of a sale was credited.
    PaymentConfirmation,
    /// Reverses a sale whose money was not credited.
    Reversal,
    /// Records the support's decision about a held payment.
    ManualChange,
    /// Sends a payment link.
    Invoice,
    /// Has a type that the simulation does not know.
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

    /// Returns the platform's spelling.
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

#[derive(Debug, Clone)]
pub struct Operation {
    pub id: u64,
    pub kind: OperationType,
    /// The type in messages, only for [`OperationType::Other`].
    pub other_type: Option<String>,
    /// Whether the operation takes money from the shopper.
    pub is_charge: bool,
    pub status: Status,
    /// The start of the operation.
    pub created: OffsetDateTime,
    /// The time of the last change.
    pub date: OffsetDateTime,
    pub request_id: String,
    /// As requested, in minor units.
    pub amount: u64,
    /// What a successful operation really moves, in minor units.
    pub moved: u64,
    /// What a successful charge adds to `payment.sum`, in minor units.
    pub counted: u64,
    pub sum_initial: Money,
    pub sum_converted: Money,
    pub code: Code,
    pub merchant_refund_id: Option<String>,
    /// The operation that this operation continues or reverses.
    pub original: Option<u64>,
    /// Set while the operation waits for data.
    pub clarification: Option<Clarification>,
    /// The data of a refund from clarification requests. For a sale, the order's customer has this data.
    pub data: Map<String, Value>,
    /// The number of the platform's requests for clarification. Each request has its own time limit.
    pub clarification_step: u32,
}

impl Operation {
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

    /// Returns an operation that continues or reverses `original`. Both have the same request id.
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

    pub fn type_name(&self) -> &str {
        self.other_type.as_deref().unwrap_or(self.kind.as_str())
    }

    /// Sets the status. After that, the operation no longer waits for clarification.
    pub fn set_status(&mut self, status: Status, code: Code, now: OffsetDateTime) {
        self.status = status;
        self.code = code;
        self.date = now;
        self.clarification = None;
    }

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
