//! What the function is asked for.

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use payments::model::QuarantineItem;
use serde::Deserialize;
use serde_json::Value;

/// No operator's name is longer.
const LONGEST_NAME: usize = 64;

/// A command of an operator.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Says whether a callback verifies, and what would become of it. Changes nothing.
    VerifyCallback {
        /// The body, exactly as it came.
        body: String,
    },
    /// Takes in a callback, as if the platform had sent it again.
    ApplyCallback {
        /// The body, exactly as it came.
        body: String,
        /// Who says so.
        by: Operator,
    },
    /// Sends events again that were sent before.
    Republish {
        /// Whose payment it is.
        project_id: ProjectId,
        /// Its id there.
        payment_id: PaymentId,
        /// The first number; 1 by default.
        from: Option<u64>,
        /// The last number; that of the last event by default.
        to: Option<u64>,
        /// Who says so.
        by: Operator,
    },
    /// Asks the platform now, whatever the schedule says.
    Resync {
        /// Whose payment it is.
        project_id: ProjectId,
        /// Its id there.
        payment_id: PaymentId,
    },
    /// Takes quarantined money as paid.
    Release(Decision),
    /// Gives quarantined money back.
    Reject(Decision),
}

/// An operator's decision about quarantined money.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Whose payment it is.
    pub project_id: ProjectId,
    /// Its id there.
    pub payment_id: PaymentId,
    /// Who says so.
    pub by: Operator,
    /// What they have seen; nothing else is settled.
    pub items: BTreeSet<QuarantineItem>,
}

/// A payment's id of any form that the platform takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PaymentId(String);

impl PaymentId {
    /// The key of the payment of a project that has this id.
    pub fn key(&self, project_id: ProjectId) -> PaymentKey {
        PaymentKey::new(project_id, &self.0)
    }
}

impl TryFrom<String> for PaymentId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        let length = id.chars().count();
        let fits = (1..=PaymentKey::LONGEST_ID).contains(&length);
        fits.then_some(Self(id)).ok_or("payment_id is no id")
    }
}

/// Who gives a command.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Operator(String);

impl Operator {
    /// Their name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Operator {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let name = name.trim();
        let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
        match fits && !name.contains(char::is_control) {
            true => Ok(Self(name.to_owned())),
            false => Err("by is not a name of 1 to 64 characters"),
        }
    }
}

impl Request {
    /// Reads what the function was invoked with.
    pub fn read(event: &Value) -> Result<Self, String> {
        Self::deserialize(event).map_err(|error| format!("no such command: {error}"))
    }

    /// The command's name.
    pub fn name(&self) -> &'static str {
        match self {
            Request::VerifyCallback { .. } => "verify_callback",
            Request::ApplyCallback { .. } => "apply_callback",
            Request::Republish { .. } => "republish",
            Request::Resync { .. } => "resync",
            Request::Release(_) => "release",
            Request::Reject(_) => "reject",
        }
    }

    /// Who gives it; nobody in particular where nothing is decided.
    pub fn by(&self) -> Option<&str> {
        match self {
            Request::VerifyCallback { .. } | Request::Resync { .. } => None,
            Request::ApplyCallback { by, .. } | Request::Republish { by, .. } => Some(by.as_str()),
            Request::Release(decision) | Request::Reject(decision) => Some(decision.by.as_str()),
        }
    }

    /// The payment that it names.
    pub fn payment(&self) -> Option<PaymentKey> {
        match self {
            Request::VerifyCallback { .. } | Request::ApplyCallback { .. } => None,
            Request::Republish {
                project_id,
                payment_id,
                ..
            }
            | Request::Resync {
                project_id,
                payment_id,
            } => Some(payment_id.key(*project_id)),
            Request::Release(decision) | Request::Reject(decision) => Some(decision.key()),
        }
    }
}

impl Decision {
    /// The payment.
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
    fn each_command_is_read() {
        let item = json!({ "operation_id": "7", "reason": "amount_differs", "reported": { "amount": 900, "currency": "EUR" } });
        let of_payment = json!({ "reason": "status_differs" });
        let decision = |command: &str| json!({ "command": command, "project_id": 211, "payment_id": "Order-1", "by": " anna ", "items": [item, of_payment] });
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
            (decision("release"), Some("anna"), Some("211/order-1")),
            (decision("reject"), Some("anna"), Some("211/order-1")),
        ] {
            let request = Request::read(&event).unwrap();
            assert_eq!(request.name(), event["command"]);
            assert_eq!(request.by(), by);
            let key = request.payment().map(|key| key.to_string());
            assert_eq!(key.as_deref(), payment);
        }
    }

    #[test]
    fn what_is_no_command_is_refused_with_its_reason() {
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
                "not a name",
            ),
            (
                json!({ "command": "apply_callback", "body": "", "by": "a\nb" }),
                "not a name",
            ),
            (resync(0, "order-1"), "nonzero"),
            (resync(211, ""), "payment_id is no id"),
            (resync(211, &"x".repeat(256)), "payment_id is no id"),
            (
                json!({ "command": "release", "project_id": 211, "payment_id": "order-1", "by": "anna" }),
                "`items`",
            ),
        ] {
            let error = Request::read(&event).unwrap_err();
            assert!(error.contains(why), "{event}: {error}");
        }
    }
}
