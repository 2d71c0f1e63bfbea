//! One operation of a payment: its kind, its status and its amounts.

use serde::Serialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::clarification::Question;
use super::codes::Code;
use super::order::Marks;

/// The only currency of Bancontact.
pub const CURRENCY: &str = "EUR";

/// An amount as messages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Money {
    /// Minor units.
    pub amount: u64,
    /// ISO 4217.
    pub currency: String,
}

impl Money {
    /// An amount in euro cents.
    pub fn euros(amount: u64) -> Self {
        let currency = CURRENCY.to_owned();
        Self { amount, currency }
    }
}

/// The status of a payment or of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Accepted, or undecided.
    Processing,
    /// ReviewError, at the provider.
    ExternalProcessing,
    /// Data is missing.
    AwaitingClarification,
    /// The shopper is, or could be, at the bank.
    AwaitingRedirect,
    /// The sale is done, its crediting is not confirmed (payments only).
    AwaitingConfirmation,
    /// Paid, refunded, confirmed.
    Success,
    /// Refused.
    Decline,
    /// Not started; the payment's id is free again.
    Error,
    /// A part went back (payments only).
    PartiallyRefunded,
    /// All went back (payments only).
    Refunded,
    /// The platform reversed an unconfirmed sale (payments only).
    Reversed,
    /// A Dashboard link exists, but was not sent yet.
    AwaitingPayment,
    /// A Dashboard link was sent; final for the operation, not for the payment.
    InvoiceSent,
    /// A Dashboard link was not paid in time.
    Expired,
    /// A Dashboard link was switched off.
    InvoiceCanceled,
}

impl Status {
    /// The platform's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Processing => "processing",
            Status::ExternalProcessing => "external processing",
            Status::AwaitingClarification => "awaiting clarification",
            Status::AwaitingRedirect => "awaiting redirect result",
            Status::AwaitingConfirmation => "awaiting confirmation",
            Status::Success => "success",
            Status::Decline => "decline",
            Status::Error => "error",
            Status::PartiallyRefunded => "partially refunded",
            Status::Refunded => "refunded",
            Status::Reversed => "reversed",
            Status::AwaitingPayment => "awaiting payment",
            Status::InvoiceSent => "invoice sent",
            Status::Expired => "expired",
            Status::InvoiceCanceled => "invoice canceled",
        }
    }

    /// Whether an operation in this status can still change by itself.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Status::Processing
                | Status::ExternalProcessing
                | Status::AwaitingClarification
                | Status::AwaitingRedirect
                | Status::AwaitingConfirmation
                | Status::AwaitingPayment
        )
    }
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Takes money.
    Sale,
    /// Gives money back.
    Refund,
    /// Takes a refund back.
    RefundReverse,
    /// Waits for the crediting of a sale.
    Confirmation,
    /// Undoes a sale whose crediting was not confirmed.
    Reversal,
    /// The platform's support settles a held payment.
    ManualChange,
    /// Sends a Dashboard link.
    Invoice,
    /// Any other type.
    Other {
        /// The type in messages.
        name: String,
        /// Whether it takes money.
        takes_money: bool,
    },
}

impl Kind {
    /// The platform's spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Kind::Sale => "sale",
            Kind::Refund => "refund",
            Kind::RefundReverse => "refund reverse",
            Kind::Confirmation => "payment confirmation",
            Kind::Reversal => "reversal",
            Kind::ManualChange => "manual change",
            Kind::Invoice => "invoice",
            Kind::Other { name, .. } => name,
        }
    }

    /// Whether it takes money from the shopper when it succeeds.
    pub fn is_charge(&self) -> bool {
        match self {
            Kind::Sale | Kind::ManualChange => true,
            Kind::Other { takes_money, .. } => *takes_money,
            _ => false,
        }
    }
}

/// One operation of a payment.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The platform's number.
    pub id: u64,
    /// What it does.
    pub kind: Kind,
    /// Its progress.
    pub status: Status,
    /// When it began.
    pub created: OffsetDateTime,
    /// When it last changed.
    pub date: OffsetDateTime,
    /// The id of the request behind it.
    pub request_id: String,
    /// The requested amount, in minor units.
    pub amount: u64,
    /// The amount that it really moves when it succeeds, in minor units.
    pub moved: u64,
    /// Its part in `payment.sum` when it succeeds, in minor units.
    pub counted: u64,
    /// As messages show it.
    pub sum_initial: Money,
    /// As messages show it.
    pub sum_converted: Money,
    /// Its result code.
    pub code: Code,
    /// The merchant's own id of a refund.
    pub merchant_refund_id: Option<String>,
    /// The operation that it continues or undoes.
    pub about: Option<u64>,
    /// The data that it waits for.
    pub question: Option<Question>,
    /// The data that clarification requests brought for a refund.
    pub data: Map<String, Value>,
    /// How often data was asked for or brought; a deadline is valid for its own round only.
    pub round: u32,
}

impl Operation {
    /// A new operation, in `processing`.
    pub fn new(kind: Kind, amount: u64, marks: Marks) -> Self {
        Self {
            id: marks.operation_id,
            kind,
            status: Status::Processing,
            created: marks.now,
            date: marks.now,
            request_id: marks.request_id,
            amount,
            moved: amount,
            counted: amount,
            sum_initial: Money::euros(amount),
            sum_converted: Money::euros(amount),
            code: super::codes::AWAITING,
            merchant_refund_id: None,
            about: None,
            question: None,
            data: Map::new(),
            round: 0,
        }
    }

    /// A new operation of the platform itself; it carries the request id of the operation that it is about.
    pub fn about(kind: Kind, amount: u64, about: &Operation, marks: Marks) -> Self {
        Self {
            request_id: about.request_id.clone(),
            about: Some(about.id),
            ..Self::new(kind, amount, marks)
        }
    }

    /// Moves to another status. Any question is over, unless the next one is put afterwards.
    pub fn enter(&mut self, status: Status, code: Code, now: OffsetDateTime) {
        self.status = status;
        self.code = code;
        self.date = now;
        self.question = None;
    }

    /// Puts a question.
    pub fn ask(&mut self, question: Question, now: OffsetDateTime) {
        self.enter(
            Status::AwaitingClarification,
            super::codes::NEED_CLARIFICATION,
            now,
        );
        self.question = Some(question);
        self.round += 1;
    }
}
