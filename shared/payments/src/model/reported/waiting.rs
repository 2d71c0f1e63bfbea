//! Defines what the platform requests from the shopper or the storefront: to follow a redirect, or to send more data.

use std::collections::BTreeMap;
use std::fmt;

use ecommpay::report::ClarificationField;
use serde::{Deserialize, Serialize};

use super::report_order::ReportOrder;
use crate::json_text::to_json_string;
use crate::model::timestamp::Timestamp;
use crate::sha256;

/// The redirect or the data that a pending operation waits for. `Debug` hides the content, because a redirect can
/// identify the shopper.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The age of the report; the newest report counts. A digit before the digest ranks reports with the same dates:
    /// `1` for a clarification, `2` for a redirect.
    pub(in crate::model) order: ReportOrder,
    /// The redirect, if its URL is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) redirect: Option<Redirect>,
    /// The fields that the platform requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clarification_fields: Vec<ClarificationField>,
}

impl Waiting {
    /// Returns `None` if the report has no redirect and requests no data.
    pub(super) fn new(
        operation_date: &str,
        payment_date: &str,
        digest: &str,
        redirect: Option<Redirect>,
        clarification_fields: Vec<ClarificationField>,
    ) -> Option<Self> {
        if redirect.is_none() && clarification_fields.is_empty() {
            return None;
        }
        // At the same dates, the redirect is newer, because it follows the clarification.
        let step = if redirect.is_some() { "2" } else { "1" };
        let digest = step.to_owned() + digest;
        Some(Self {
            order: ReportOrder::new(operation_date, payment_date, &digest),
            redirect,
            clarification_fields,
        })
    }

    pub(super) fn newest(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if one.order < other.order => Some(other),
            (one, other) => one.or(other),
        }
    }

    /// Returns a digest that identifies the redirect or clarification request.
    pub fn digest(&self) -> String {
        sha256::start_of_hex(to_json_string(&self.order).as_bytes(), 32)
    }

    /// Returns the fields that the platform requests.
    pub fn clarification_fields(&self) -> &[ClarificationField] {
        &self.clarification_fields
    }

    /// Returns when the platform made the request; `None` if the date is invalid.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.order.operation_time()
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Waiting(hidden)")
    }
}

/// The redirect of the shopper's browser to the bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The HTTP method.
    pub method: RedirectMethod,
    /// The redirect URL.
    pub url: String,
    /// The form fields of a `POST`.
    pub fields: BTreeMap<String, String>,
}

/// The HTTP method of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RedirectMethod {
    /// The browser requests the URL.
    Get,
    /// The browser posts the fields to the URL.
    Post,
}
