//! Money on its way back.

use ecommpay::fields::Text;
use serde::{Deserialize, Serialize};

use super::{GateRequest, Private, is_false, is_zero};
use crate::ids::MerchantId;
use crate::timestamp::Timestamp;

/// Money on its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The merchant's id; `None` for a refund that was not asked for here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<MerchantId>,
    /// Minor units.
    pub amount: u64,
    /// Where it stands.
    pub status: RefundStatus,
    /// The platform's operation, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// How far our request got; `None` for a refund that was not asked for here.
    #[serde(default, skip_serializing_if = "GateRequest::is_none")]
    pub request: GateRequest,
    /// How many questions had been put to the platform when it was last given up to wait for its
    /// answer: only a later one shows what became of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sent_after: u32,
    /// The platform said that it has a refund of this id already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<Exists>,
    /// With which code a repeat was refused. By itself that is not the end: the first request may
    /// have been taken late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_again: Option<String>,
    /// What it was asked for with, so that it can be repeated with the same data, as long as its
    /// end is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// The shopper's address, if another one than the checkout's was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<Private<Text>>,
    /// A code of the platform's list, if it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The status that was announced last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<RefundStatus>,
    /// The amount that was announced last.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub announced_amount: u64,
    /// Whether it was ever announced as declined.
    #[serde(default, skip_serializing_if = "is_false")]
    pub decline_announced: bool,
    /// The start of the SHA-256 of what the storefront sent, to tell a repeat from another refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// When we first heard of it.
    pub created_at: Timestamp,
}

/// What it means that the platform has a refund of this id already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exists {
    /// Said to a repeat: it had come to be by then, so our first request was taken.
    By(Timestamp),
    /// Said to the first request: it is somebody else's, and ours was never taken.
    Elsewhere,
}

impl Refund {
    /// Whether the platform's operation with this id is this refund.
    pub(crate) fn is_made_by(&self, operation_id: &str) -> bool {
        self.operation_id.as_deref() == Some(operation_id)
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Asked for; reserved.
    Pending,
    /// Nobody knows whether it was taken; reserved.
    Unknown,
    /// The money went back.
    Succeeded,
    /// It did not; the reservation is given back.
    Declined,
}

impl RefundStatus {
    /// Whether money is held back for it.
    pub fn is_reserved(self) -> bool {
        matches!(self, RefundStatus::Pending | RefundStatus::Unknown)
    }
}
