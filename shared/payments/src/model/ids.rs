//! Defines the ids that a storefront chooses, and the key of a payment.

use std::fmt;

use ecommpay::fields::{ProjectId, Text};
use serde::{Deserialize, Serialize};

/// A `payment_id`, `order_id` or `refund_id` of a storefront: `[A-Za-z0-9._-]{1,64}`.
///
/// Ids are compared without case, because the platform does so. An id is shown in the spelling that we received
/// first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MerchantId(String);

impl MerchantId {
    /// Returns `None` if the text does not have the allowed form.
    pub fn new(id: impl Into<String>) -> Option<Self> {
        let id = id.into();
        let is_allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        ((1..=64).contains(&id.len()) && id.bytes().all(is_allowed)).then_some(Self(id))
    }

    /// Returns the id in the spelling that we received first.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id as a value that can be signed. This works for every id, because no allowed character separates
    /// values in the signed text.
    pub fn to_text(&self) -> Option<Text> {
        Text::new(self.0.clone()).ok()
    }
}

impl PartialEq for MerchantId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for MerchantId {}

impl TryFrom<String> for MerchantId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        Self::new(id).ok_or("an id does not match [A-Za-z0-9._-]{1,64}")
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

/// The key of a payment: its project, and its id in lower case.
///
/// The id of an external payment can be any text of up to 255 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentKey {
    project_id: ProjectId,
    folded_id: String,
}

impl PaymentKey {
    /// The maximum length of the id of a payment, in characters.
    pub const MAX_ID_LENGTH: usize = 255;

    /// Creates the key from a foreign id. Returns `None` if the id is empty or too long.
    pub fn parse(project_id: ProjectId, payment_id: &str) -> Option<Self> {
        Self::is_allowed_length(payment_id).then(|| Self::new(project_id, payment_id))
    }

    /// Parses the text that `Display` writes. The text is split at the first slash, because the id of a payment can
    /// contain slashes.
    pub fn from_text(text: &str) -> Option<Self> {
        let (project_id, payment_id) = text.split_once('/')?;
        let project_id = ProjectId::new(project_id.parse().ok()?).ok()?;
        Self::parse(project_id, payment_id)
    }

    /// Whether the text has an allowed length for the id of a payment.
    pub fn is_allowed_length(payment_id: &str) -> bool {
        (1..=Self::MAX_ID_LENGTH).contains(&payment_id.chars().count())
    }

    /// Creates the key from an id in upper or lower case.
    pub fn new(project_id: ProjectId, payment_id: &str) -> Self {
        Self {
            project_id,
            folded_id: payment_id.to_ascii_lowercase(),
        }
    }

    /// Returns the payment's id in lower case.
    pub fn folded_id(&self) -> &str {
        &self.folded_id
    }

    /// Returns the project.
    pub fn project_id(&self) -> ProjectId {
        self.project_id
    }
}

impl fmt::Display for PaymentKey {
    /// Writes `<project_id>/<payment_id in lower case>`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.project_id, self.folded_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_1_to_64_allowed_characters() {
        assert!(MerchantId::new("Order_1001-1.a").is_some());
        assert!(MerchantId::new("x".repeat(64)).is_some());
        for id in ["", "a b", "a/b", "a;b", "\u{e9}", &"x".repeat(65)] {
            assert!(MerchantId::new(id).is_none(), "{id}");
        }
        assert_eq!(MerchantId::new("Order-1"), MerchantId::new("order-1"));
    }

    #[test]
    fn the_key_of_a_payment_does_not_depend_on_case() {
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
