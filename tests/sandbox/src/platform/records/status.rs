//! Defines the statuses of payments and operations.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The status of a payment or of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Undecided: the platform has accepted the request.
    Processing,
    /// Undecided: the provider is processing the operation.
    ExternalProcessing,
    /// Data is missing.
    AwaitingClarification,
    /// The shopper can pay at the bank.
    AwaitingRedirect,
    /// The sale succeeded, but its crediting is not confirmed (payments only).
    AwaitingConfirmation,
    /// The operation has succeeded, or the payment is paid and not refunded.
    Success,
    /// The payment or the operation ended without success.
    Decline,
    /// The sale was not started. A new payment can have the same id.
    Error,
    /// Refunded in part (payments only).
    PartiallyRefunded,
    /// Refunded in full (payments only).
    Refunded,
    /// The platform reversed an unconfirmed sale (payments only).
    Reversed,
    /// A payment link that was not sent yet.
    AwaitingPayment,
    /// A payment link that was sent. This status is final for the operation `invoice`, but not for the payment.
    InvoiceSent,
    /// A payment link that was not paid in time.
    Expired,
    /// A payment link that the merchant canceled.
    InvoiceCanceled,
}

impl Status {
    /// Returns the spelling of the platform.
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

    /// Whether a payment or an operation with this status is undecided.
    ///
    /// [`Status::InvoiceSent`] counts as decided, because this status is final for the operation `invoice`.
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

/// Reads a status that must be one of `allowed`.
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

/// Reads the result of an operation: `success` or `decline`.
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
