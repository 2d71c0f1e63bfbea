//! Derives the status of a payment from the facts. The status is never stored. [`table`] has the rules.

mod decline;
pub(crate) mod sale_state;
pub mod table;

use serde::{Deserialize, Serialize};

/// The status of a payment. [`table`] has the condition of each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The sale is being sent for the first time, and no operation was reported.
    Created,
    /// The sale is in progress, or its outcome is unknown.
    Processing,
    /// The redirect URL is known, or a payment link is not used yet.
    AwaitingCustomer,
    /// The platform requests data from the shopper.
    AwaitingClarification,
    /// The shopper has paid. The platform has not confirmed that the money arrived.
    AwaitingConfirmation,
    /// The money was received, and none of it was refunded.
    Succeeded,
    /// The platform declined the sale, or could not confirm that the money arrived.
    Declined,
    /// The platform refused or never received the sale request, or the payment link expired. Or an operator rejected
    /// another system's payment.
    Failed,
    /// An operator must review the payment.
    Quarantined,
    /// A part of the money was refunded.
    PartiallyRefunded,
    /// All the money was refunded.
    Refunded,
    /// This service did not create the payment.
    Unmatched,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 12] = [
        Status::Created,
        Status::Processing,
        Status::AwaitingCustomer,
        Status::AwaitingClarification,
        Status::AwaitingConfirmation,
        Status::Succeeded,
        Status::Declined,
        Status::Failed,
        Status::Quarantined,
        Status::PartiallyRefunded,
        Status::Refunded,
        Status::Unmatched,
    ];

    /// Whether the result of the payment is known.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            Status::Created
                | Status::Processing
                | Status::AwaitingCustomer
                | Status::AwaitingClarification
                | Status::AwaitingConfirmation
        )
    }

    /// Whether the payment has no result and does not await a confirmation.
    pub fn is_undecided(self) -> bool {
        !self.is_final() && self != Status::AwaitingConfirmation
    }

    /// Whether the payment was paid, even if it was refunded later. Quarantined money does not count.
    pub fn is_paid(self) -> bool {
        matches!(
            self,
            Status::Succeeded | Status::PartiallyRefunded | Status::Refunded
        )
    }
}
