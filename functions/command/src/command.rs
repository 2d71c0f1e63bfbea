//! Defines the commands of operators, parsed from JSON.

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use payments::model::QuarantineItem;
use serde::Deserialize;
use serde_json::Value;

/// The maximum length of an operator's name, in bytes. A command with a longer name is refused.
const MAX_NAME_BYTES: usize = 128;

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Verifies a callback and previews its result. Changes nothing.
    VerifyCallback {
        /// The body, byte for byte.
        body: String,
    },
    /// Applies a callback, as if the platform had sent it again.
    ApplyCallback {
        /// The body, byte for byte.
        body: String,
        by: Operator,
    },
    /// Publishes events of a payment again.
    Republish {
        project_id: ProjectId,
        payment_id: PaymentId,
        /// The sequence number of the first event to publish; 1 by default.
        from: Option<u64>,
        /// The sequence number of the last event to publish; by default, all events from `from` on are published.
        to: Option<u64>,
        by: Operator,
    },
    /// Polls the platform about a payment immediately.
    Resync {
        project_id: ProjectId,
        payment_id: PaymentId,
    },
    /// Accepts quarantined money as paid.
    Release(Review),
    /// Refunds quarantined money.
    Reject(Review),
}

/// A review of quarantined money by an operator.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    pub project_id: ProjectId,
    pub payment_id: PaymentId,
    pub by: Operator,
    /// The quarantine items that the operator saw. The review settles only these items.
    pub items: BTreeSet<QuarantineItem>,
}

/// The id of a payment. It can be the id of an external payment, so any text of 1 to 255 characters is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PaymentId(String);

impl PaymentId {
    pub fn key(&self, project_id: ProjectId) -> PaymentKey {
        PaymentKey::new(project_id, &self.0)
    }
}

impl TryFrom<String> for PaymentId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        PaymentKey::is_allowed_length(&id)
            .then_some(Self(id))
            .ok_or("`payment_id` must have 1 to 255 characters")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Operator(String);

impl Operator {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Operator {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let name = name.trim();
        let fits = (1..=MAX_NAME_BYTES).contains(&name.len());
        match fits && !name.contains(char::is_control) {
            true => Ok(Self(name.to_owned())),
            false => Err("`by` must have 1 to 128 bytes and no control character"),
        }
    }
}

impl Command {
    pub fn read(event: &Value) -> Result<Self, String> {
        Self::deserialize(event).map_err(|error| format!("the command is not valid: {error}"))
    }

    pub fn name(&self) -> &'static str {
        match self {
            Command::VerifyCallback { .. } => "verify_callback",
            Command::ApplyCallback { .. } => "apply_callback",
            Command::Republish { .. } => "republish",
            Command::Resync { .. } => "resync",
            Command::Release(_) => "release",
            Command::Reject(_) => "reject",
        }
    }

    /// Returns the operator's name. Returns `None` if the command does not name an operator.
    pub fn by(&self) -> Option<&str> {
        match self {
            Command::VerifyCallback { .. } | Command::Resync { .. } => None,
            Command::ApplyCallback { by, .. } | Command::Republish { by, .. } => Some(by.as_str()),
            Command::Release(review) | Command::Reject(review) => Some(review.by.as_str()),
        }
    }

    /// Returns the payment that the command names. Returns `None` for a command with a callback, because the callback
    /// names the payment.
    pub fn payment(&self) -> Option<PaymentKey> {
        match self {
            Command::VerifyCallback { .. } | Command::ApplyCallback { .. } => None,
            Command::Republish {
                project_id,
                payment_id,
                ..
            }
            | Command::Resync {
                project_id,
                payment_id,
            } => Some(payment_id.key(*project_id)),
            Command::Release(review) | Command::Reject(review) => Some(review.key()),
        }
    }
}

impl Review {
    pub fn key(&self) -> PaymentKey {
        self.payment_id.key(self.project_id)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_command_is_read_with_its_operator_and_payment() {
        let item = json!({ "operation_id": "7", "reason": "amount_differs", "reported": { "amount": 900, "currency": "EUR" } });
        let of_payment = json!({ "reason": "status_differs" });
        let review = |command: &str| json!({ "command": command, "project_id": 211, "payment_id": "Order-1", "by": " anna ", "items": [item, of_payment] });
        for (event, by, payment) in [
            (
                json!({ "command": "verify_callback", "body": "{}" }),
                None,
                None,
            ),
            (
                json!({ "command": "apply_callback", "body": "{}", "by": "anna" }),
                Some("anna"),
                None,
            ),
            (
                json!({ "command": "republish", "project_id": 211, "payment_id": "Order-1", "from": 2, "to": null, "by": "anna" }),
                Some("anna"),
                Some("211/order-1"),
            ),
            (
                json!({ "command": "resync", "project_id": 211, "payment_id": "Order-1" }),
                None,
                Some("211/order-1"),
            ),
            (review("release"), Some("anna"), Some("211/order-1")),
            (review("reject"), Some("anna"), Some("211/order-1")),
        ] {
            let command = Command::read(&event).unwrap();
            assert_eq!(command.name(), event["command"]);
            assert_eq!(command.by(), by);
            let key = command.payment().map(|key| key.to_string());
            assert_eq!(key.as_deref(), payment);
        }
    }

    #[test]
    fn an_invalid_command_is_refused_with_the_reason() {
        let resync = |project_id: u32, payment_id: &str| json!({ "command": "resync", "project_id": project_id, "payment_id": payment_id });
        for (event, why) in [
            (json!(null), "invalid type"),
            (json!({}), "command"),
            (json!({ "command": "delete" }), "unknown variant"),
            (
                json!({ "command": "verify_callback", "body": "", "by": "anna" }),
                "unknown field `by`",
            ),
            (json!({ "command": "apply_callback", "body": "" }), "`by`"),
            (
                json!({ "command": "apply_callback", "body": "", "by": " " }),
                "`by` must have",
            ),
            (
                json!({ "command": "apply_callback", "body": "", "by": "a\nb" }),
                "`by` must have",
            ),
            (resync(0, "order-1"), "nonzero"),
            (resync(211, ""), "`payment_id` must have"),
            (resync(211, &"x".repeat(256)), "`payment_id` must have"),
            (
                json!({ "command": "release", "project_id": 211, "payment_id": "order-1", "by": "anna" }),
                "`items`",
            ),
        ] {
            let error = Command::read(&event).unwrap_err();
            assert!(error.contains(why), "{event}: {error}");
        }
    }
}
