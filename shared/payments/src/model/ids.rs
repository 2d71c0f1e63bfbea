//! Ids that a storefront chooses, and the key of a payment.

use std::fmt;

use ecommpay::fields::{ProjectId, Text};
use serde::{Deserialize, Serialize};

/// A `payment_id`, `order_id` or `refund_id` of ours: `[A-Za-z0-9._-]{1,64}`.
///
/// Shown as first spelled, compared in ASCII lower case, as the platform does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MerchantId(String);

impl MerchantId {
    /// Takes an id of the allowed form; `None` for any other.
    pub fn new(id: impl Into<String>) -> Option<Self> {
        let id = id.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        ((1..=64).contains(&id.len()) && id.bytes().all(plain)).then_some(Self(id))
    }

    /// The id as first spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the same id as `other`, without regard to case.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// The id as a value that may be signed: its form has no separator.
    pub fn to_text(&self) -> Option<Text> {
        Text::new(self.0.clone()).ok()
    }
}

impl PartialEq for MerchantId {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for MerchantId {}

impl TryFrom<String> for MerchantId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        Self::new(id).ok_or("not an id")
    }
}

impl From<MerchantId> for String {
    fn from(id: MerchantId) -> Self {
        id.0
    }
}

impl fmt::Display for MerchantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What makes a payment one payment: its project and its id in lower case.
///
/// Ids of payments that were made elsewhere can have any form up to 255 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentKey {
    project_id: ProjectId,
    folded_id: String,
}

impl PaymentKey {
    /// The longest id that the platform gives.
    pub const LONGEST_ID: usize = 255;

    /// The key of a payment that a caller names; `None` for what cannot be an id.
    pub fn of_caller(project_id: ProjectId, payment_id: &str) -> Option<Self> {
        let length = payment_id.chars().count();
        (1..=Self::LONGEST_ID)
            .contains(&length)
            .then(|| Self::new(project_id, payment_id))
    }

    /// The key of a payment, whatever the case of its id.
    pub fn new(project_id: ProjectId, payment_id: &str) -> Self {
        Self {
            project_id,
            folded_id: payment_id.to_ascii_lowercase(),
        }
    }

    /// The payment's id in lower case.
    pub fn folded_id(&self) -> &str {
        &self.folded_id
    }

    /// The project.
    pub fn project_id(&self) -> ProjectId {
        self.project_id
    }
}

impl fmt::Display for PaymentKey {
    /// `<project_id>/<payment_id in lower case>`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.project_id, self.folded_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_plain_form() {
        assert!(MerchantId::new("Order_1001-1.a").is_some());
        assert!(MerchantId::new("x".repeat(64)).is_some());
        for id in ["", "a b", "a/b", "a;b", "\u{e9}", &"x".repeat(65)] {
            assert!(MerchantId::new(id).is_none(), "{id}");
        }
        assert_eq!(MerchantId::new("Order-1"), MerchantId::new("order-1"));
    }

    #[test]
    fn a_payment_is_the_same_in_any_case() {
        let project = ProjectId::new(211).unwrap();
        assert_eq!(
            PaymentKey::new(project, "Order_314"),
            PaymentKey::new(project, "oRDER_314")
        );
        assert_eq!(
            PaymentKey::new(project, "Order_314").to_string(),
            "211/order_314"
        );
    }
}
