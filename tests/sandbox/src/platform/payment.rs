//! What the platform's books hold of one payment.

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::codes::Code;
use super::payment_link::Link;

/// What a merchant orders with a sale.
#[derive(Debug, Clone)]
pub struct SaleOrder {
    /// In the merchant's spelling; compared without case.
    pub payment_id: String,
    /// Minor units.
    pub amount: u64,
    /// The merchant's words.
    pub description: Option<String>,
    /// Whatever was sent about the customer.
    pub customer: Map<String, Value>,
    /// Where the shopper goes after the bank.
    pub return_url: ReturnUrl,
    /// How callbacks are wanted.
    pub callbacks: CallbackWishes,
    /// The link to Payment Page that it was ordered with; none for a sale through Gate.
    pub link: Option<Link>,
}

/// Where the shopper goes after the bank.
#[derive(Debug, Clone, Default)]
pub struct ReturnUrl {
    /// On interruption, and when the other two are not given.
    pub always: String,
    /// After success.
    pub success: Option<String>,
    /// After a decline.
    pub decline: Option<String>,
}

/// What a sale says about its callbacks.
#[derive(Debug, Clone, Default)]
pub struct CallbackWishes {
    /// Instead of the project's address.
    pub url: Option<String>,
    /// Seconds before each callback.
    pub delay: u64,
    /// No callbacks at all.
    pub disabled: bool,
}

/// What a merchant orders with a refund.
#[derive(Debug, Clone)]
pub struct RefundOrder {
    /// The payment.
    pub payment_id: String,
    /// Minor units and currency; the rest of the payment without them.
    pub sum: Option<(u64, String)>,
    /// The merchant's own id of the refund.
    pub merchant_refund_id: Option<String>,
}

/// What the world gives to a new operation.
#[derive(Debug, Clone)]
pub struct Marks {
    /// The platform's number.
    pub operation_id: u64,
    /// The id of the request.
    pub request_id: String,
    /// The time.
    pub now: OffsetDateTime,
}

/// The status of a payment or of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Accepted; nothing else is known.
    Processing,
    /// Data is missing.
    AwaitingClarification,
    /// The shopper is, or could be, at the bank.
    AwaitingRedirect,
    /// Paid, or refunded.
    Success,
    /// Refused.
    Decline,
    /// Not started; the payment's id is free again.
    Error,
    /// A part went back (payments only).
    PartiallyRefunded,
    /// All went back (payments only).
    Refunded,
}

impl Status {
    /// The platform's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Processing => "processing",
            Status::AwaitingClarification => "awaiting clarification",
            Status::AwaitingRedirect => "awaiting redirect result",
            Status::Success => "success",
            Status::Decline => "decline",
            Status::Error => "error",
            Status::PartiallyRefunded => "partially refunded",
            Status::Refunded => "refunded",
        }
    }

    /// Whether a sale in this status can still change.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Status::Processing | Status::AwaitingClarification | Status::AwaitingRedirect
        )
    }
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Takes money.
    Sale,
    /// Gives it back.
    Refund,
}

impl Kind {
    /// The platform's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Sale => "sale",
            Kind::Refund => "refund",
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
    /// How far it is.
    pub status: Status,
    /// When it began.
    pub created: OffsetDateTime,
    /// When it last changed.
    pub date: OffsetDateTime,
    /// The id of the request behind it.
    pub request_id: String,
    /// The amount as requested, in minor units.
    pub amount: u64,
    /// The amount that the bank moved.
    pub moved: u64,
    /// How it went.
    pub code: Code,
    /// The merchant's own id of a refund.
    pub merchant_refund_id: Option<String>,
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
            code: super::codes::AWAITING,
            merchant_refund_id: None,
        }
    }

    /// Moves to another status.
    pub fn enter(&mut self, status: Status, code: Code, now: OffsetDateTime) {
        self.status = status;
        self.code = code;
        self.date = now;
    }
}

/// One payment.
#[derive(Debug, Clone)]
pub struct Payment {
    /// What was ordered.
    pub order: SaleOrder,
    /// The state of the whole.
    pub status: Status,
    /// When that last changed.
    pub date: OffsetDateTime,
    /// The sale.
    pub sale: Operation,
    /// The refunds in the order of their requests.
    pub refunds: Vec<Operation>,
    /// The unguessable name of its page at the bank.
    pub bank_token: String,
    /// How often data was asked for or brought; a deadline counts for its own round only.
    pub round: u32,
}

impl Payment {
    /// All operations, the sale first.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        std::iter::once(&self.sale).chain(&self.refunds)
    }

    /// The sum of the successful refunds, in minor units.
    pub fn refunded(&self) -> u64 {
        let done = self.refunds.iter();
        done.filter(|refund| refund.status == Status::Success)
            .map(|refund| refund.amount)
            .sum()
    }

    /// What remains of the amount that the bank took.
    pub fn left(&self) -> u64 {
        self.sale.moved.saturating_sub(self.refunded())
    }

    /// Whether refunds are possible.
    pub fn is_refundable(&self) -> bool {
        matches!(self.status, Status::Success | Status::PartiallyRefunded)
    }

    /// Whether the customer's last name is still to be asked for.
    pub fn lacks_last_name(&self) -> bool {
        let name = self.order.customer.get("last_name").and_then(Value::as_str);
        name.is_none_or(str::is_empty)
    }

    /// Where the shopper goes after the bank.
    pub fn return_address(&self) -> &str {
        let urls = &self.order.return_url;
        let fitting = match self.sale.status {
            Status::Success => urls.success.as_deref(),
            Status::Decline => urls.decline.as_deref(),
            _ => None,
        };
        fitting.unwrap_or(&urls.always)
    }
}
