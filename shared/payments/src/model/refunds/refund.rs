//! Defines a refund, and a storefront's request for a refund.

use ecommpay::fields::Text;
use serde::{Deserialize, Serialize};

use super::refund_status::RefundStatus;
use crate::model::attempt::clarification::ClarificationTries;
use crate::model::attempt::gate_request::GateRequest;
use crate::model::emitted::EmittedRefund;
use crate::model::ids::MerchantId;
use crate::model::order::Private;
use crate::model::serde_skip::is_default;
use crate::model::timestamp::Timestamp;

/// A refund. A return that matches no single refund is also stored as a `Refund`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The merchant's id; `None` for an external refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refund_id: Option<MerchantId>,
    /// The amount in minor units: the amount of the operation for an external or successful refund, otherwise the
    /// requested amount.
    pub(super) amount: u64,
    /// The amount that we requested, if it differs from `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) requested_amount: Option<u64>,
    pub(super) status: RefundStatus,
    /// The part of the amount that was returned, in minor units.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) returned_amount: u64,
    /// The `operation.id`; `None` until an operation is attributed to the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) operation_id: Option<String>,
    /// Our request to Gate; `NotSent` for an external refund. Erased if the refund has ended, reports contain the data
    /// of the request, and the payment has many refunds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) request: GateRequest,
    /// Whether the request was sent again because the first try had no clear answer. Stored as long as the
    /// description.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) repeated: bool,
    /// The description, to repeat the request with the same data. Erased together with the customer's data. If the
    /// payment has many refunds or long descriptions, erased when the refund ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text>,
    /// The shopper's IP address in the storefront's request; `None` means the address in the order. Stored as long as
    /// the description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ip_address: Option<Private<Text>>,
    /// The platform's code, if the refund was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) answered_clarification: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) clarification_tries: ClarificationTries,
    pub(super) emitted: EmittedRefund,
    /// The start of the SHA-256 of the storefront's request. It shows whether a repeated request has other content.
    /// Empty for the refund of a rejection. `None` for an external refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<String>,
    /// When a request for the refund was received, or when the refund was first reported.
    pub(super) created_at: Timestamp,
}

/// A storefront's request for a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// The merchant's id of the refund.
    pub refund_id: MerchantId,
    /// The amount in minor units; `None` means the whole refundable amount.
    pub amount: Option<u64>,
    /// The description, which the platform requires.
    pub description: Text,
    /// The shopper's IP address; `None` means the address in the order.
    pub ip_address: Option<Private<Text>>,
    /// The start of the SHA-256 of the request. It shows whether a repeated request has other content. Empty for the
    /// refund of a rejection.
    pub content: String,
}

impl Refund {
    pub(super) fn requested(order: &RefundOrder, amount: u64, at: Timestamp) -> Self {
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

    /// Creates an external refund. `update_refunds` sets its amount and status.
    pub(super) fn external(operation_id: &str, at: Timestamp) -> Self {
        Self {
            refund_id: None,
            amount: 0,
            requested_amount: None,
            status: RefundStatus::Pending,
            returned_amount: 0,
            operation_id: Some(operation_id.to_owned()),
            request: GateRequest::NotSent,
            repeated: false,
            description: None,
            ip_address: None,
            code: None,
            answered_clarification: None,
            clarification_tries: ClarificationTries::default(),
            emitted: EmittedRefund::default(),
            content: None,
            created_at: at,
        }
    }

    /// Returns the merchant's id; `None` for an external refund.
    pub fn refund_id(&self) -> Option<&MerchantId> {
        self.refund_id.as_ref()
    }

    /// Returns the amount in minor units.
    pub fn amount(&self) -> u64 {
        self.amount
    }

    pub(in crate::model) fn requested_amount(&self) -> u64 {
        self.requested_amount.unwrap_or(self.amount)
    }

    /// Returns the status.
    pub fn status(&self) -> RefundStatus {
        self.status
    }

    /// Returns how much of the amount was returned, in minor units.
    pub fn returned_amount(&self) -> u64 {
        self.returned_amount
    }

    /// Returns the `operation.id`; `None` until an operation is attributed to the refund.
    pub fn operation_id(&self) -> Option<&str> {
        self.operation_id.as_deref()
    }

    /// Returns our request to Gate.
    pub fn request(&self) -> &GateRequest {
        &self.request
    }

    pub(in crate::model) fn is_repeated(&self) -> bool {
        self.repeated
    }

    /// Returns the description; `None` if it was erased, or if the refund is external.
    pub fn description(&self) -> Option<&Text> {
        self.description.as_ref()
    }

    /// Erases the texts of the Gate request, so that the request can no longer be repeated.
    pub(in crate::model) fn erase_request_data(&mut self) {
        (self.description, self.ip_address) = (None, None);
    }

    /// Returns the platform's code, if the refund was declined.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    pub(crate) fn content(&self) -> Option<&str> {
        self.content.as_deref()
    }

    /// Whether an operator's rejection created the refund. A storefront can choose any `refund_id`, so the id does
    /// not show this.
    pub(crate) fn is_of_rejection(&self) -> bool {
        self.refund_id.is_some() && self.content.as_deref().is_none_or(str::is_empty)
    }

    /// Returns when a request for the refund was received, or when the refund was first reported.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    pub(crate) fn emitted(&self) -> &EmittedRefund {
        &self.emitted
    }

    pub(crate) fn emitted_mut(&mut self) -> &mut EmittedRefund {
        &mut self.emitted
    }
}
