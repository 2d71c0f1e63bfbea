//! Defines quarantine: an operator must review the money, for example because it differs from the order or because
//! signed answers contradict each other (`shared/decisions/state/0007-quarantine.md`).

mod foreign;
pub(super) use foreign::{FIRST_DATE, MAX_CLOCK_DIFFERENCE};
mod items;
mod unlisted;

use std::collections::BTreeSet;

use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::timestamp::Timestamp;
use crate::json_text::to_json_string;
use crate::sha256;

/// Why an operator must review the money of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineReason {
    /// The amount differs from the order.
    AmountDiffers,
    /// The currency differs from the order.
    CurrencyDiffers,
    /// A successful operation was reported without a sum, or no report states the amount received.
    AmountMissing,
    /// A signed answer lists an operation of undocumented type as succeeded.
    UnknownOperation,
    /// More than one sale succeeded.
    PaidTwice,
    /// Signed answers contradict each other, or they contradict the report of a sale, a refund or a return.
    Contradiction,
    /// The sale succeeded, but a signed answer says that the payment did not succeed.
    StatusDiffers,
    /// By the signed answers, more was returned than was refunded.
    ReturnedExceedsRefunded,
    /// Another system of the project made the payment that the platform has under our payment id.
    ForeignPayment,
    /// A signed answer says that a refund of ours succeeded with another amount than requested.
    RefundDiffers,
    /// An operator rejected the money, not all of it was refunded, and no other reason remains.
    Rejected,
}

/// One reason for quarantine, with its operation and sum. An operator's decision settles exactly the items
/// that it lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuarantineItem {
    /// The reason.
    pub reason: QuarantineReason,
    /// The operation; `None` if the reason concerns the payment as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// The reported sum; `None` if no sum was reported, or if the reason is not about a sum. For
    /// [`QuarantineReason::ReturnedExceedsRefunded`], the sum by which the returns exceed the refunds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Sum>,
    /// For [`QuarantineReason::StatusDiffers`], the `payment.status` that contests the sale; `None` for other reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

impl QuarantineItem {
    /// Returns the item of an operation that took the money of another system's payment.
    fn foreign(operation_id: &str, sum: Option<&Sum>) -> Self {
        Self {
            reason: QuarantineReason::ForeignPayment,
            operation_id: Some(operation_id.to_owned()),
            reported: sum.cloned(),
            status: None,
        }
    }

    /// Returns the digest that represents the item in a stored decision.
    pub(crate) fn digest(&self) -> String {
        sha256::start_of_hex(to_json_string(self).as_bytes(), 16)
    }
}

/// An operator's decision about quarantined money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether the money is released or rejected.
    pub verdict: Verdict,
    /// Who decided.
    pub by: String,
    /// When the operator decided.
    pub at: Timestamp,
    /// The digests of the items that the decision settles. The items were shown to the operator and were in quarantine
    /// at that time. An item that an earlier decision settled in the same way is not repeated.
    pub items: BTreeSet<String>,
    /// All items that the decision settles, if they are too many for `items`; `None` if `items` has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_items: Option<AllItems>,
}

/// All items that a decision settles. The decision settles the items only together. If an item is added or no longer
/// holds, all items need a review again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllItems {
    digest: String,
    count: usize,
}

impl AllItems {
    pub(crate) fn of(items: &BTreeSet<QuarantineItem>) -> Self {
        Self {
            digest: digest_of_all(items),
            count: items.len(),
        }
    }
}

impl Decision {
    /// Returns the number of items that the decision settles.
    pub fn item_count(&self) -> usize {
        let all = self.all_items.as_ref().map_or(0, |all| all.count);
        self.items.len() + all
    }
}

fn digest_of_all(items: &BTreeSet<QuarantineItem>) -> String {
    sha256::start_of_hex(to_json_string(items).as_bytes(), 16)
}

/// The decisions that an operator can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The money counts as paid.
    Released,
    /// The money is to be refunded.
    Rejected,
}
