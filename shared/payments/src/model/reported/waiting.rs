//! What an unfinished operation waits for: the shopper, or data.

use std::collections::BTreeMap;
use std::fmt;

use ecommpay::report::ClarificationField;
use serde::{Deserialize, Serialize};

use super::report_order::ReportOrder;
use crate::model::timestamp::Timestamp;
use crate::sha256;

/// What an unfinished operation waits for. Its report names the shopper, so Debug shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// When the report was made, with the step prefixed to the digest; the greatest one counts.
    pub(in crate::model) order: ReportOrder,
    /// Where the shopper's browser must go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) redirect: Option<Redirect>,
    /// The fields that the platform asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::model) clarification_fields: Vec<ClarificationField>,
}

impl Waiting {
    /// `None` if the report asks for nothing.
    pub(crate) fn new(
        operation_date: &str,
        payment_date: &str,
        digest: &str,
        redirect: Option<Redirect>,
        clarification_fields: Vec<ClarificationField>,
    ) -> Option<Self> {
        if redirect.is_none() && clarification_fields.is_empty() {
            return None;
        }
        // Of one second, the redirect comes after the clarification.
        let step = if redirect.is_some() { "2" } else { "1" };
        let digest = step.to_owned() + digest;
        Some(Self {
            order: ReportOrder::new(operation_date, payment_date, &digest),
            redirect,
            clarification_fields,
        })
    }

    pub(in crate::model) fn newest(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if one.order < other.order => Some(other),
            (one, other) => one.or(other),
        }
    }

    /// Identifies this request for data.
    pub fn digest(&self) -> String {
        sha256::start_of_hex(format!("{:?}", self.order).as_bytes(), 32)
    }

    /// The fields that the platform asks for.
    pub fn clarification_fields(&self) -> &[ClarificationField] {
        &self.clarification_fields
    }

    /// When the platform asked.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.order.operation_date()
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
