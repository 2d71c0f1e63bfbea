//! The signed link to the platform's Payment Page.
//!
//! The signature covers the decoded values of all parameters but `frame_mode`, before they are
//! encoded for the address. The payment exists at the platform only once the customer has
//! confirmed it there, and its result comes by callback as with Gate.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use thiserror::Error;

use crate::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use crate::json::{self, JsonError, Limits, Value};
use crate::keyring::ProjectKey;
use crate::signature::{self, SignError};

/// The platform's Payment Page.
pub const PAYMENT_PAGE: &str = "https://paymentpage.ecommpay.com/payment";

/// What RFC 3986 leaves unreserved; everything else is percent-encoded.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Why no link was made.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The parameters are not one JSON object.
    #[error("the parameters must be one object")]
    NotAnObject,
    /// A parameter is neither text, nor an integer, nor true or false.
    #[error("the parameter {0} must be text, an integer, true or false")]
    NotAScalar(String),
    /// A value could hide another parameter under the same signature.
    #[error("the parameter {0} must not hold a semicolon or a control character")]
    Separator(String),
    /// The parameters carry a signature already.
    #[error("the parameters are signed already")]
    Signed,
    /// The parameters could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl From<JsonError> for LinkError {
    fn from(error: JsonError) -> Self {
        LinkError::Sign(error.into())
    }
}

/// The parameters of a Bancontact payment. Names and limits are the platform's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentPage {
    /// The project that takes the payment.
    pub project_id: ProjectId,
    /// The payment's id, unique in the project without regard to case.
    pub payment_id: Text,
    /// Minor units; Bancontact takes 100 and more.
    pub payment_amount: MinorUnits,
    /// Bancontact knows EUR only.
    pub payment_currency: Currency,
    /// The merchant's id of the customer.
    pub customer_id: Text,
    /// 3 to 100 characters; without it the form asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_last_name: Option<LastName>,
    /// Shown to the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_description: Option<Text>,
    /// The form's language, two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_code: Option<Text>,
    /// Until when it can be paid, `YYYY-MM-DDThh:mm:ss+hh:mm`, at most 30 days ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_before: Option<Text>,
    /// Where the callbacks of this payment go instead of the project's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_callback_url: Option<Text>,
    /// Where the browser goes by itself after a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_success_url: Option<Text>,
    /// Where the browser goes by itself after a decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_fail_url: Option<Text>,
    /// Where the browser goes by a button before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_return_url: Option<Text>,
    /// The customer cannot choose another method.
    force_payment_method: &'static str,
}

impl PaymentPage {
    /// The parameters that the platform demands.
    pub fn new(
        project_id: ProjectId,
        payment_id: Text,
        payment_amount: MinorUnits,
        payment_currency: Currency,
        customer_id: Text,
    ) -> Self {
        Self {
            project_id,
            payment_id,
            payment_amount,
            payment_currency,
            customer_id,
            customer_last_name: None,
            payment_description: None,
            language_code: None,
            best_before: None,
            merchant_callback_url: None,
            redirect_success_url: None,
            redirect_fail_url: None,
            merchant_return_url: None,
            force_payment_method: "bancontact",
        }
    }

    /// The signed link, on the page at `base`.
    pub fn link(&self, base: &str, key: &ProjectKey) -> Result<String, LinkError> {
        let text = serde_json::to_vec(self).map_err(SignError::from)?;
        link(base, &json::parse(&text, Limits::CALLBACK)?, key)
    }
}

/// The signed link with any parameters of the platform, in their order.
pub fn link(base: &str, parameters: &Value<'_>, key: &ProjectKey) -> Result<String, LinkError> {
    if !matches!(parameters, Value::Object(_)) {
        return Err(LinkError::NotAnObject);
    }
    let mut address = String::from(base);
    let mut separator = '?';
    for (name, value) in parameters.members() {
        if name == "signature" {
            return Err(LinkError::Signed);
        }
        // As in the signature: booleans are 1 and 0.
        let text = match value {
            Value::String(text) => text.as_ref(),
            Value::Number(token) => token,
            Value::Bool(flag) => match flag {
                true => "1",
                false => "0",
            },
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(LinkError::NotAScalar(name.to_string()));
            }
        };
        let hides = |text: &str| text.contains(';') || text.chars().any(char::is_control);
        if hides(text) || hides(name) {
            return Err(LinkError::Separator(name.to_string()));
        }
        push(&mut address, &mut separator, name, text);
    }
    let signature = key
        .sign(&signature::canonical_to_sign(parameters)?)
        .to_base64();
    push(&mut address, &mut separator, "signature", &signature);
    Ok(address)
}

fn push(address: &mut String, separator: &mut char, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = write!(
        address,
        "{separator}{}={}",
        utf8_percent_encode(name, &UNRESERVED),
        utf8_percent_encode(value, &UNRESERVED)
    );
    *separator = '&';
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bancontact_link_has_every_mandatory_parameter_and_its_signature() {
        let key = ProjectKey::new("test-secret-key").unwrap();
        let text = |text: &str| Text::new(text).unwrap();
        let page = PaymentPage {
            customer_last_name: Some(LastName::new("Johnson").unwrap()),
            ..PaymentPage::new(
                ProjectId::new(211).unwrap(),
                text("X03936"),
                MinorUnits::for_sale(1000).unwrap(),
                Currency::Eur,
                text("123"),
            )
        };
        let link = page.link(PAYMENT_PAGE, &key).unwrap();
        let (base, query) = link.split_once('?').unwrap();
        assert_eq!(base, PAYMENT_PAGE);
        let names: Vec<&str> = query
            .split('&')
            .filter_map(|pair| Some(pair.split_once('=')?.0))
            .collect();
        assert_eq!(
            names,
            [
                "project_id",
                "payment_id",
                "payment_amount",
                "payment_currency",
                "customer_id",
                "customer_last_name",
                "force_payment_method",
                "signature"
            ]
        );
    }

    #[test]
    fn a_value_cannot_hide_a_parameter() {
        let key = ProjectKey::new("k").unwrap();
        for parameters in [
            r#"{"customer_last_name":"X;payment_amount:1;payment_b:Y"}"#,
            r#"{"a;b":"c"}"#,
            r#"{"a":"b\nc"}"#,
            r#"{"a":["b"]}"#,
            r#"{"a":null}"#,
            r#"{"a":1.50}"#,
            r#"{"signature":"x"}"#,
            "[]",
        ] {
            let parameters = json::parse(parameters.as_bytes(), Limits::CALLBACK).unwrap();
            assert!(
                link(PAYMENT_PAGE, &parameters, &key).is_err(),
                "{parameters:?}"
            );
        }
    }
}
