//! What the platform reports about a payment, in a callback or in a status answer.
//!
//! Both have one shape here: a callback names its last operation in `operation`, a status answer
//! all of them in `operations`. Fields may be missing, integers may be strings, unknown statuses
//! survive as text; nothing here decides what the news means.

mod clarification;
mod shape;

use serde::{Deserialize, Serialize};

use crate::json::Value;
use crate::operation::{OperationType, Outcome};

pub use clarification::ClarificationField;
pub use shape::has_sound_shape;

/// One report about one payment.
///
/// What is not read here is not lost: unknown fields stay in the [`Value`] that it is read from, at
/// their place and in their spelling.
///
/// Source: Callbacks; Gate, status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The project the report is about.
    pub project_id: Option<u64>,
    /// The payment's id in the platform's spelling; compare without case.
    pub payment_id: Option<String>,
    /// `payment.type`: `purchase`, `invoice` for a payment link made in the Dashboard, and others.
    pub payment_type: Option<String>,
    /// `payment.status`, unknown ones included.
    pub payment_status: Option<String>,
    /// `payment.date`, UTC as the platform writes it.
    pub payment_date: Option<String>,
    /// `payment.sum`: the current amount, not to be computed with after refunds.
    pub payment_sum: Option<Sum>,
    /// The operations in the order of the message.
    pub operations: Vec<Operation>,
    /// Where the shopper's browser must go.
    pub redirect: Option<Redirect>,
    /// The fields that the platform asks for.
    pub clarification_fields: Vec<ClarificationField>,
    /// Error items of a request that failed.
    pub errors: Vec<ErrorItem>,
}

/// The statuses of payments and of operations that are documented, or whose meaning the platform's
/// plug-ins show.
///
/// Source: Results; Confirmation; Payment links; the platform's plug-ins.
const DOCUMENTED_STATUSES: [&str; 28] = [
    "awaiting 3ds result",
    "awaiting capture",
    "awaiting clarification",
    "awaiting confirmation",
    "awaiting customer",
    "awaiting customer action",
    "awaiting merchant auth",
    "awaiting payment",
    "awaiting redirect result",
    "awaiting retry",
    "canceled",
    "cancelled",
    "decline",
    "error",
    "expired",
    "external error",
    "external processing",
    "internal error",
    "invoice canceled",
    "invoice cancelled",
    "invoice sent",
    "partially paid",
    "partially refunded",
    "partially reversed",
    "processing",
    "refunded",
    "reversed",
    "success",
];

/// An amount as the platform reports it.
///
/// Source: Callbacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sum {
    /// Minor units.
    pub amount: u64,
    /// ISO 4217 code.
    pub currency: String,
}

/// One operation inside a payment.
///
/// Source: Callbacks; Gate, status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The platform's number, as written; absent in errors.
    pub id: Option<String>,
    /// What it does.
    pub kind: OperationType,
    /// `operation.status`, unknown ones included.
    pub status: String,
    /// `operation.date`, UTC as the platform writes it.
    pub date: Option<String>,
    /// `operation.created_date`, which status answers have.
    pub created_date: Option<String>,
    /// Equals the `request_id` of the synchronous answer.
    pub request_id: Option<String>,
    /// The amount of this operation as requested.
    pub sum_initial: Option<Sum>,
    /// The amount that the provider moved.
    pub sum_converted: Option<Sum>,
    /// A code of the platform's unified list.
    pub code: Option<String>,
    /// The platform's own words.
    pub message: Option<String>,
    /// The merchant's id of a refund (`payment.merchant_refund_id` of the report).
    pub merchant_refund_id: Option<String>,
}

/// Where the browser must go: `redirect_data`, in other formats `redirectData` or, as an object,
/// `return_url`.
///
/// Source: Gate, callbacks; Bancontact, payments through Gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// `GET` or `POST`.
    pub method: RedirectMethod,
    /// The provider's address.
    pub url: String,
    /// Form fields of a `POST`, in order. The signature does not cover a field that is named
    /// `signature` or `frame_mode`, nor where a field's nesting ends and its value begins.
    pub fields: Vec<(String, String)>,
}

/// How the browser must go there.
///
/// Source: Gate, callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectMethod {
    /// Follow the address; fields do not matter.
    Get,
    /// Post the fields.
    Post,
}

/// Why a request failed.
///
/// Source: Gate API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorItem {
    /// A code of the platform's unified list, as text.
    pub code: String,
    /// The platform's own words.
    pub message: Option<String>,
    /// The field in question.
    pub field: Option<String>,
}

impl Report {
    /// Reads a message. Says nothing about its signature.
    pub fn read(message: &Value<'_>) -> Self {
        let payment = message.get("payment");
        let merchant_refund_id = payment.and_then(|payment| payment.text_at("merchant_refund_id"));
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
            operations: operations(message, merchant_refund_id.as_deref()),
            redirect: ["redirect_data", "redirectData", "return_url"]
                .iter()
                .find_map(|key| redirect(message.get(key)?)),
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

    /// Whether `payment.status` is a final one for the payment; `None` where the report says
    /// nothing about that: no status, the error of a request, or a refund (or the taking back of one)
    /// that is not done yet, as `payment.status` can speak of the refund then.
    ///
    /// Unknown statuses are not final.
    ///
    /// Source: Results.
    pub fn is_final(&self) -> Option<bool> {
        let status = self.payment_status.as_deref()?;
        let refund_is_open = self
            .operations
            .iter()
            .any(|operation| operation.kind.is_about_refund() && !operation.outcome().is_final());
        if status == "error" || refund_is_open {
            return None;
        }
        Some(matches!(
            status,
            "success"
                | "decline"
                | "partially refunded"
                | "refunded"
                | "partially reversed"
                | "reversed"
                | "partially paid"
                | "canceled"
                | "cancelled"
                | "expired"
                | "external error"
                | "internal error"
                | "invoice canceled"
                | "invoice cancelled"
        ))
    }

    /// The first status, of the payment or of an operation, whose meaning is not known.
    ///
    /// Source: Results; Confirmation; Payment links; the platform's plug-ins.
    pub fn unknown_status(&self) -> Option<&str> {
        let of_operations = self.operations.iter().map(|operation| &operation.status);
        self.payment_status
            .iter()
            .chain(of_operations)
            .map(String::as_str)
            .find(|status| !status.is_empty() && !is_documented(status))
    }
}

/// Whether the meaning of a status, of a payment or of an operation, is documented or shown by the
/// platform's plug-ins.
///
/// Source: Results; Confirmation; Payment links; the platform's plug-ins.
pub fn is_documented(status: &str) -> bool {
    DOCUMENTED_STATUSES.contains(&status)
}

impl Operation {
    /// Where it stands.
    ///
    /// `invoice sent` is a success of a payment link's own operation only. No other operation may
    /// count as money because of it.
    pub fn outcome(&self) -> Outcome {
        self.kind.outcome(&self.status)
    }
}

/// The project that a message names: at the top level, else in `general`.
///
/// Source: Callbacks.
pub fn project_id(message: &Value<'_>) -> Option<u64> {
    match message.get("project_id") {
        Some(top) => top.as_u64(),
        None => message.at(&["general", "project_id"])?.as_u64(),
    }
}

impl Sum {
    /// Reads `{"amount": .., "currency": ..}`.
    pub fn read(value: &Value<'_>) -> Option<Self> {
        Some(Self {
            amount: value.get("amount")?.as_u64()?,
            currency: value.text_at("currency")?,
        })
    }
}

fn operations(message: &Value<'_>, merchant_refund_id: Option<&str>) -> Vec<Operation> {
    // The payment's merchant_refund_id belongs to the last operation, so not to each of a list.
    let single = message
        .get("operation")
        .and_then(|value| operation(value, merchant_refund_id));
    let several = message
        .get("operations")
        .map(Value::elements)
        .unwrap_or_default();
    let several = several.iter().filter_map(|value| operation(value, None));
    single.into_iter().chain(several).collect()
}

fn operation(value: &Value<'_>, merchant_refund_id: Option<&str>) -> Option<Operation> {
    let kind = OperationType::from(value.text_at("type")?);
    let is_of_refund = kind.is_about_refund();
    Some(Operation {
        id: value.text_at("id"),
        status: value.text_at("status")?,
        date: value.text_at("date"),
        created_date: value.text_at("created_date"),
        request_id: value.text_at("request_id"),
        sum_initial: value
            .get("sum_initial")
            .or_else(|| value.get("sum"))
            .and_then(Sum::read),
        sum_converted: value.get("sum_converted").and_then(Sum::read),
        code: value.text_at("code"),
        message: value.text_at("message"),
        merchant_refund_id: value
            .text_at("merchant_refund_id")
            .or_else(|| merchant_refund_id.map(str::to_owned))
            .filter(|_| is_of_refund),
        kind,
    })
}

/// `body` is an object, or `[]` when it is empty. Nested values take PHP's spelling of form
/// fields, `name[key][0]`.
fn redirect(value: &Value<'_>) -> Option<Redirect> {
    let method = match value.get("method")?.as_str()? {
        method if method.eq_ignore_ascii_case("GET") => RedirectMethod::Get,
        method if method.eq_ignore_ascii_case("POST") => RedirectMethod::Post,
        _ => return None,
    };
    let mut fields = Vec::new();
    if let Some(body) = value.get("body") {
        for (name, field) in body.members() {
            form_fields(name.to_string(), field, &mut fields);
        }
    }
    Some(Redirect {
        method,
        url: value.text_at("url")?,
        fields,
    })
}

fn form_fields(name: String, value: &Value<'_>, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Null => fields.push((name, String::new())),
        Value::Bool(flag) => fields.push((name, if *flag { "1" } else { "0" }.into())),
        Value::Number(text) => fields.push((name, (*text).into())),
        Value::String(text) => fields.push((name, text.to_string())),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                form_fields(format!("{name}[{index}]"), element, fields);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                form_fields(format!("{name}[{key}]"), member, fields);
            }
        }
    }
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

    fn read(text: &str) -> Report {
        Report::read(&parse(text.as_bytes(), Limits::CALLBACK).unwrap())
    }

    #[test]
    fn redirect_data_stands_in_one_of_three_places() {
        let data =
            r#"{"url":"https://bank.example","method":"POST","body":{"a":"1","b":{"c":[2,null]}}}"#;
        let expected = Redirect {
            method: RedirectMethod::Post,
            url: "https://bank.example".into(),
            fields: [("a", "1"), ("b[c][0]", "2"), ("b[c][1]", "")]
                .map(|(name, field)| (name.into(), field.into()))
                .into(),
        };
        for place in ["redirect_data", "redirectData", "return_url"] {
            let report = read(&format!("{{\"{place}\":{data}}}"));
            assert_eq!(report.redirect.as_ref(), Some(&expected), "{place}");
        }
        let empty = format!("{{\"redirect_data\":[],\"return_url\":{data}}}");
        assert_eq!(read(&empty).redirect, Some(expected));
        let shop = r#"{"return_url":"https://shop.example"}"#;
        assert_eq!(read(shop).redirect, None);
    }

    #[test]
    fn a_payment_is_not_judged_while_a_refund_is_open() {
        let is_final = |kind: &str, status: &str| {
            let operation = format!(r#""operation":{{"type":"{kind}","status":"{status}"}}"#);
            read(&format!(
                r#"{{"payment":{{"status":"success"}},{operation}}}"#
            ))
            .is_final()
        };
        for kind in ["refund", "reversal", "refund reverse"] {
            assert_eq!(is_final(kind, "external processing"), None, "{kind}");
            assert_eq!(is_final(kind, "decline"), Some(true), "{kind}");
            assert_eq!(is_final(kind, "error"), Some(true), "{kind}");
        }
        assert_eq!(is_final("sale", "processing"), Some(true));
    }

    #[test]
    fn a_link_that_was_sent_is_no_paid_sale() {
        let outcome = |kind: &str| {
            let text = format!(r#"{{"operation":{{"type":"{kind}","status":"invoice sent"}}}}"#);
            read(&text).operations.first().unwrap().outcome()
        };
        assert_eq!(outcome("invoice"), Outcome::Succeeded);
        assert_eq!(outcome("sale"), Outcome::Pending);
    }
}
