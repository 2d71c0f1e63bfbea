//! What the platform reported of one operation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{QuarantineReason, is_false};
use crate::sha256;

/// One operation as the platform reported it.
///
/// Reports of one operation merge as a set. A final one beats an intermediate one; among final
/// ones what a signed status answer says beats what callbacks say; a success beats a decline; else
/// the newer counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// `sale`, `refund`, `reversal` and others.
    pub kind: String,
    /// Where it stands.
    pub outcome: Outcome,
    /// A signed status answer says so, so callbacks that say otherwise do not count.
    #[serde(default, skip_serializing_if = "is_false")]
    pub confirmed: bool,
    /// The raw status of the report that counts.
    pub platform_status: String,
    /// The age of that report.
    pub news: NewsOrder,
    /// Minor units of this operation, as reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// Its currency, as reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// When the platform began it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_date: Option<String>,
    /// A code of the platform's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The request that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The merchant's id of a refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_refund_id: Option<String>,
    /// What it waits for, as long as it is pending: by the newest report that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// It was reported declined together with the whole payment, so no other attempt is open.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ends_payment: bool,
    /// It was reported done by a callback, and the platform's signed answer says that it is not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub taken_back: bool,
    /// Final reports of equal weight contradict each other.
    #[serde(default, skip_serializing_if = "is_false")]
    pub conflict: bool,
    /// Why its money is not what was ordered.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub doubts: BTreeSet<QuarantineReason>,
    /// It is no sale, and by the platform's signed word it took the money.
    #[serde(default, skip_serializing_if = "is_false")]
    pub took_money: bool,
}

/// The age of a report: `operation.date`, `payment.date`, the start of its canonical string's digest.
/// The dates have whole seconds only, so the last part decides between two reports of one second, the
/// same way in whatever order they arrive.
pub type NewsOrder = (String, String, String);

/// `payment.status` and when it was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformStatus {
    /// `operation.date`, else `payment.date`; the greatest one counts. Refunds leave
    /// `payment.date` as it was.
    pub date: String,
    /// The raw status.
    pub status: String,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not final, unknown statuses included.
    Pending,
    /// Final: refused.
    Declined,
    /// Final: done.
    Succeeded,
}

impl Outcome {
    /// Whether nothing more is to come of the operation.
    pub fn is_final(self) -> bool {
        self != Outcome::Pending
    }
}

/// What an unfinished sale waits for. Its report names the shopper, so Debug shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The age of the report, the last part with the step of the payment before it; the greatest one
    /// counts.
    pub news: NewsOrder,
    /// Where the shopper's browser must go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// The fields that the platform asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clarification_fields: Vec<String>,
}

impl Waiting {
    /// Tells one report from another.
    pub fn digest(&self) -> String {
        sha256::start_of_hex(format!("{:?}", self.news).as_bytes(), 32)
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Waiting(hidden)")
    }
}

/// Where the shopper's browser must go, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// By which method.
    pub method: RedirectMethod,
    /// The provider's page.
    pub url: String,
    /// The form fields of a `POST`.
    pub fields: BTreeMap<String, String>,
}

/// How the browser must go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RedirectMethod {
    /// Follow the address.
    Get,
    /// Post the fields.
    Post,
}
