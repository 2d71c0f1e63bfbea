//! Lists the statuses of payments and operations.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Undecided: the platform has accepted the request.
    Processing,
    /// Undecided: the provider is processing the operation.
    ExternalProcessing,
    /// The platform has requested missing data.
    AwaitingClarification,
    /// The shopper can pay at the bank.
    AwaitingRedirect,
    /// For a payment: its money is not credited yet.
    AwaitingConfirmation,
    /// For an operation: it succeeded. For a payment: it is paid and not refunded.
    Success,
    /// Ended without success.
    Decline,
    /// The sale was not started. A new payment can use the id again.
    Error,
    /// For a payment: refunded in part.
    PartiallyRefunded,
    /// For a payment: refunded in full.
    Refunded,
    /// For a payment: its sale was reversed, because the money was not credited.
    Reversed,
    /// A payment link before it is sent.
    AwaitingPayment,
    /// A sent payment link. The status is final for the operation, but not for the payment.
    InvoiceSent,
    /// A payment link that was not paid in time.
    Expired,
    /// A payment link that the merchant canceled.
    InvoiceCanceled,
}

impl Status {
    /// Returns the platform's spelling.
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

    /// Whether this status is undecided.
    ///
    /// [`Status::InvoiceSent`] is decided, because it is final for the operation `invoice`.
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

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

pub fn read_one_of<'de, D: Deserializer<'de>>(
    deserializer: D,
    allowed: &[Status],
) -> Result<Status, D::Error> {
    find(&String::deserialize(deserializer)?, allowed)
}

/// Like [`read_one_of`], for a status that can be `null`.
pub fn read_optional<'de, D: Deserializer<'de>>(
    deserializer: D,
    allowed: &[Status],
) -> Result<Option<Status>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| find(&text, allowed)).transpose()
}

pub fn read_result<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    read_one_of(deserializer, &[Status::Success, Status::Decline])
}

fn find<E: de::Error>(text: &str, allowed: &[Status]) -> Result<Status, E> {
    let found = allowed.iter().find(|status| status.as_str() == text);
    found.copied().ok_or_else(|| {
        E::custom(format!(
            "the status \"{text}\" is not allowed for this field"
        ))
    })
}
