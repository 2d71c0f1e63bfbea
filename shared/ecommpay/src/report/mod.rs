//! Reads reports about a payment: callbacks and status answers.
//!
//! A [`Report`] is a callback or a status answer. A callback has at most one operation, usually in `operation`. A
//! status answer lists all operations in `operations`. Fields can be missing, and integers can be strings. Statuses are
//! stored as text, even undocumented statuses. This module does not decide what follows from a report.
//!
//! Some fields have two names. The reader uses the second name if the first is missing or cannot be read. Otherwise an
//! attacker could hide the field with an empty list under the first name, because the signature does not cover an empty
//! list.
//!
//! Sources ([list](crate::sources)): Gate API; Gate, status; Confirmation; Payment links; Callbacks; Results;
//! the platform's plug-ins.

mod callback;
mod clarification;
mod operation;
mod redirect;
mod shape;
mod status;
mod sum;

use crate::json::Value;

pub use callback::is_callback;
pub use clarification::ClarificationField;
pub use operation::Operation;
pub use redirect::{Redirect, RedirectMethod};
pub use shape::has_sound_shape;
pub use status::is_documented;
pub use sum::Sum;

/// A report about one payment.
///
/// Fields that this crate does not read remain in the [`Value`] from which the report is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The project's number.
    pub project_id: Option<u64>,
    /// The payment's id as the platform writes it. Compare ids without case.
    pub payment_id: Option<String>,
    /// `payment.type`: `purchase`, `invoice` for a payment link created in the Dashboard, and others.
    pub payment_type: Option<String>,
    /// `payment.status`, even if the status is undocumented.
    pub payment_status: Option<String>,
    /// `payment.date`: a UTC time in the platform's form.
    pub payment_date: Option<String>,
    /// `payment.sum`, or `sum_real` if the message has no readable `payment.sum`. After a refund, this sum is the
    /// original amount or the remaining amount: the platform's documents disagree.
    pub payment_sum: Option<Sum>,
    /// The operations in the order of the message.
    pub operations: Vec<Operation>,
    /// Whether the list `operations` is complete: it is not empty, and each element has a type, a status and an id. In
    /// a status answer, such a list has all operations of the payment, including those that the platform started.
    pub has_complete_list: bool,
    /// The page to which the shopper's browser is sent.
    pub redirect: Option<Redirect>,
    /// The fields that the platform requests in a clarification.
    pub clarification_fields: Vec<ClarificationField>,
    /// The errors of a request that failed.
    pub errors: Vec<ErrorItem>,
}

/// An error of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorItem {
    /// A code of the platform's unified list, as text.
    pub code: String,
    /// The platform's message.
    pub message: Option<String>,
    /// The name of the field that caused the error.
    pub field: Option<String>,
}

impl Report {
    /// Reads a report from a message. Does not verify the signature.
    pub fn read(message: &Value<'_>) -> Self {
        let payment = message.get("payment");
        let merchant_refund_id = payment.and_then(|payment| payment.id_at("merchant_refund_id"));
        Self {
            project_id: project_id(message),
            payment_id: payment
                .and_then(|payment| payment.text_at("id"))
                .or_else(|| message.get("general")?.text_at("payment_id")),
            payment_type: payment.and_then(|payment| payment.text_at("type")),
            payment_status: payment.and_then(|payment| payment.text_at("status")),
            payment_date: payment.and_then(|payment| payment.text_at("date")),
            payment_sum: payment
                .and_then(|payment| Sum::read(payment.get("sum")?))
                .or_else(|| Sum::read(message.get("sum_real")?)),
            operations: operation::operations(message, merchant_refund_id.as_deref()),
            has_complete_list: operation::has_complete_list(message),
            redirect: redirect::redirect(message),
            clarification_fields: message
                .get("clarification_fields")
                .map(clarification::fields)
                .unwrap_or_default(),
            errors: message
                .get("errors")
                .map(|errors| errors.elements().iter().filter_map(error_item).collect())
                .unwrap_or_default(),
        }
    }

    /// Returns whether `payment.status` is final for the payment. Undocumented statuses are not final.
    ///
    /// Returns `None` if `payment.status` is missing, or is `error` (a request failed). Also returns `None` if a
    /// refund, a reversal or a refund reverse is pending: `payment.status` can then be the status of this operation.
    pub fn is_final(&self) -> Option<bool> {
        let payment_status = self.payment_status.as_deref()?;
        let refund_is_pending = self
            .operations
            .iter()
            .any(|operation| operation.kind.is_about_refund() && !operation.outcome().is_final());
        if payment_status == "error" || refund_is_pending {
            return None;
        }
        Some(status::is_final(payment_status))
    }

    /// Returns the first undocumented status: `payment.status`, or the status of an operation.
    pub fn undocumented_status(&self) -> Option<&str> {
        let of_operations = self.operations.iter().map(|operation| &operation.status);
        self.payment_status
            .iter()
            .chain(of_operations)
            .map(String::as_str)
            .find(|status| !status.is_empty() && !is_documented(status))
    }
}

/// Returns the id of the project that a message names. Reads the id in `general` if the top level has no readable id.
pub fn project_id(message: &Value<'_>) -> Option<u64> {
    let in_general = || message.at(&["general", "project_id"])?.as_u64();
    let top = message.get("project_id").and_then(Value::as_u64);
    top.or_else(in_general)
}

fn error_item(value: &Value<'_>) -> Option<ErrorItem> {
    Some(ErrorItem {
        code: value.text_at("code")?,
        message: value.text_at("message"),
        field: value.text_at("field"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    /// The signature covers none of the values that this test adds.
    #[test]
    fn a_value_that_the_signature_does_not_cover_hides_no_field_with_another_name() {
        let read = |text: &str| Report::read(&parse(text.as_bytes(), Limits::CALLBACK).unwrap());
        for (text, path, name) in [
            (
                r#"{"operation":{"type":"sale","status":"success","sum":{"amount":10,"currency":"EUR"}}}"#,
                r#""operation":{"#,
                "sum_initial",
            ),
            (r#"{"general":{"project_id":211}}"#, "{", "project_id"),
            (
                r#"{"general":{"payment_id":"p"},"payment":{}}"#,
                r#""payment":{"#,
                "id",
            ),
            (r#"{"general":{"payment_id":"p"}}"#, "{", "payment"),
            (
                r#"{"sum_real":{"amount":10,"currency":"EUR"}}"#,
                "{",
                "payment",
            ),
            (
                r#"{"payment":{"status":"success"},"sum_real":{"amount":10,"currency":"EUR"}}"#,
                r#""payment":{"#,
                "sum",
            ),
            (
                r#"{"payment":{"merchant_refund_id":"r"},"operation":{"type":"refund","status":"success"}}"#,
                r#""operation":{"#,
                "merchant_refund_id",
            ),
            (
                r#"{"operations":[{"type":"sale","status":"success"}]}"#,
                "{",
                "operation",
            ),
            (
                r#"{"return_url":{"method":"GET","url":"https://bank"}}"#,
                "{",
                "redirect_data",
            ),
            (
                r#"{"return_url":{"method":"GET","url":"https://bank"}}"#,
                "{",
                "redirectData",
            ),
        ] {
            for value in ["[]", "{}", r#"{"signature":1}"#, r#"{"a":[]}"#] {
                let comma = if text.contains(&format!("{path}}}")) {
                    ""
                } else {
                    ","
                };
                let altered = format!(r#"{path}"{name}":{value}{comma}"#);
                let altered = text.replacen(path, &altered, 1);
                assert_eq!(read(&altered), read(text), "{altered}");
            }
        }
    }

    #[test]
    fn whether_a_payment_is_final_is_unknown_while_a_refund_is_pending() {
        let is_final = |kind: &str, status: &str| {
            let operation = format!(r#""operation":{{"type":"{kind}","status":"{status}"}}"#);
            let text = format!(r#"{{"payment":{{"status":"success"}},{operation}}}"#);
            Report::read(&parse(text.as_bytes(), Limits::CALLBACK).unwrap()).is_final()
        };
        for kind in ["refund", "reversal", "refund reverse"] {
            assert_eq!(is_final(kind, "external processing"), None, "{kind}");
            assert_eq!(is_final(kind, "decline"), Some(true), "{kind}");
            assert_eq!(is_final(kind, "error"), Some(true), "{kind}");
        }
        assert_eq!(is_final("sale", "processing"), Some(true));
    }
}
