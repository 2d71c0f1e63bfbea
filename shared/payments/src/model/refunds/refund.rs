//! Money on its way back.

use ecommpay::fields::Text;
use serde::{Deserialize, Serialize};

use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{EmittedRefund, GateRequest, Private, is_zero};

/// Money on its way back, or a refund that was taken back and belongs to no single one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The merchant's id; `None` for an external one, which was not requested here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) refund_id: Option<MerchantId>,
    /// Minor units.
    pub(in crate::model) amount: u64,
    /// Where it stands.
    pub(in crate::model) status: RefundStatus,
    /// How much of it was taken back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::model) returned_amount: u64,
    /// The platform's operation, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) operation_id: Option<String>,
    /// Our request; not sent for an external one.
    #[serde(default, skip_serializing_if = "GateRequest::is_not_sent")]
    pub(in crate::model) request: GateRequest,
    /// What it was requested with, so that it can be repeated with the same data while its outcome is
    /// open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) description: Option<Text>,
    /// The shopper's address, if another one than the checkout's was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) ip_address: Option<Private<Text>>,
    /// A code of the platform's list, if it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) code: Option<String>,
    /// The digest of the clarification request that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) answered_clarification: Option<String>,
    /// What the last event about it said.
    pub(in crate::model) emitted: EmittedRefund,
    /// The start of the SHA-256 of what the storefront sent, to tell a repeat from another refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) content: Option<String>,
    /// When it became known here.
    pub(in crate::model) created_at: Timestamp,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Requested; reserved.
    Pending,
    /// It is not known whether the platform took it; reserved.
    Unknown,
    /// The money went back.
    Succeeded,
    /// It did not; the reservation is given back.
    Declined,
    /// It went back and was taken back by the bank or the platform; it counts no longer.
    Returned,
}

impl RefundStatus {
    /// Whether money is held back for it.
    pub fn is_reserved(self) -> bool {
        matches!(self, RefundStatus::Pending | RefundStatus::Unknown)
    }
}

/// What a storefront asks for when it gives money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// The merchant's own id.
    pub refund_id: MerchantId,
    /// Minor units; `None` means what is left at this moment.
    pub amount: Option<u64>,
    /// Mandatory on the platform.
    pub description: Text,
    /// The shopper's address, if it is not the checkout's.
    pub ip_address: Option<Private<Text>>,
    /// The start of the SHA-256 of the request.
    pub content: String,
}

impl Refund {
    /// A refund that is requested here. Its request is not sent yet.
    pub(in crate::model) fn requested(order: &RefundOrder, amount: u64, at: Timestamp) -> Self {
        Self {
            refund_id: Some(order.refund_id.clone()),
            amount,
            description: Some(order.description.clone()),
            ip_address: order.ip_address.clone(),
            content: Some(order.content.clone()),
            operation_id: None,
            ..Self::external("", at)
        }
    }

    /// A refund that was not requested here.
    pub(in crate::model) fn external(operation_id: &str, at: Timestamp) -> Self {
        Self {
            refund_id: None,
            amount: 0,
            status: RefundStatus::Pending,
            returned_amount: 0,
            operation_id: Some(operation_id.to_owned()),
            request: GateRequest::NotSent,
            description: None,
            ip_address: None,
            code: None,
            answered_clarification: None,
            emitted: EmittedRefund::default(),
            content: None,
            created_at: at,
        }
    }

    /// The merchant's id; `None` for an external one.
    pub fn refund_id(&self) -> Option<&MerchantId> {
        self.refund_id.as_ref()
    }

    /// Minor units.
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// Where it stands.
    pub fn status(&self) -> RefundStatus {
        self.status
    }

    /// How much of it was taken back.
    pub fn returned_amount(&self) -> u64 {
        self.returned_amount
    }

    /// The platform's operation, once it is known.
    pub fn operation_id(&self) -> Option<&str> {
        self.operation_id.as_deref()
    }

    /// Our request.
    pub fn request(&self) -> &GateRequest {
        &self.request
    }

    /// What it was requested with.
    pub fn description(&self) -> Option<&Text> {
        self.description.as_ref()
    }

    /// A code of the platform's list, if it was declined.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The start of the SHA-256 of the request.
    pub(crate) fn content(&self) -> Option<&str> {
        self.content.as_deref()
    }

    /// When it became known here.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    pub(crate) fn emitted(&self) -> &EmittedRefund {
        &self.emitted
    }

    pub(crate) fn emitted_mut(&mut self) -> &mut EmittedRefund {
        &mut self.emitted
    }

    /// Whether the platform's operation with this id is this refund.
    pub(crate) fn is_made_by(&self, operation_id: &str) -> bool {
        self.operation_id.as_deref() == Some(operation_id)
    }
}
