//! The signed link to the platform's Payment Page.
//!
//! The signature covers the decoded values of all parameters but `frame_mode`, before they are
//! encoded for the address. The payment exists at the platform only once the customer has
//! confirmed it there, and its result comes by callback as with Gate.
//!
//! Two pages that differ in `frame_mode` only share a signature: the protocol leaves it out.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use thiserror::Error;

use crate::calendar::is_moment_with_offset;
use crate::customer::{CustomerDetails, is_capitals};
use crate::fields::{Currency, FieldError, LastName, Method, MinorUnits, ProjectId, Text};
use crate::json::{self, JsonError, Limits, Value};
use crate::keyring::ProjectKey;
use crate::signature::{self, SignError};

/// The platform's Payment Page.
///
/// Source: Payment Page, about.
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
    /// A parameter without a value.
    #[error("the parameter {0} must not be empty")]
    Empty(String),
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

/// An optional parameter with a text.
///
/// Left out: `force_payment_group` and `hide`, as the method is forced; `mode` and `operation_type`,
/// whose defaults are all that Bancontact does; `interface_type`, which is by agreement;
/// `payment_methods_options`, `receipt_data`, `booking_info` and `addendum_data`, which Bancontact has
/// no use for; `target_element`, `css_modal_wrap` and `baseUrl`, which belong to the page's script and
/// not to a link.
///
/// Source: Payment Page, parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextParameter {
    /// Shown to the customer.
    PaymentDescription,
    /// The form's language, two letters.
    LanguageCode,
    /// The customer's country, two capital letters.
    RegionCode,
    /// Until when it can be paid, `YYYY-MM-DDThh:mm:ss+hh:mm`, at most 30 days ahead.
    BestBefore,
    /// Where the callbacks of this payment go instead of the project's address.
    MerchantCallbackUrl,
    /// Where the browser goes by itself after a success.
    RedirectSuccessUrl,
    /// `iframe`, `parent_page` or `blank_page`.
    RedirectSuccessMode,
    /// Where the browser goes by itself after a decline.
    RedirectFailUrl,
    /// `iframe`, `parent_page` or `blank_page`.
    RedirectFailMode,
    /// Where the provider's page returns to before the end; the platform must have enabled it.
    RedirectReturnUrl,
    /// `iframe`, `parent_page` or `blank_page`.
    RedirectReturnMode,
    /// Where a button leads after a success.
    MerchantSuccessUrl,
    /// Where a button leads after a decline.
    MerchantFailUrl,
    /// Where a button leads before the end.
    MerchantReturnUrl,
    /// `popup`, `iframe`, `embedded`; the one parameter that is not signed.
    FrameMode,
    /// Whatever the merchant wants to find again.
    PaymentExtraParam,
}

impl TextParameter {
    /// Checks a text against the parameter's own form.
    fn check(self, text: Text) -> Result<Text, FieldError> {
        let value = text.as_str();
        let wrong = match self {
            Self::LanguageCode if !is_language(value) => "two letters",
            Self::RegionCode if !is_capitals(value) => "two capital letters",
            Self::BestBefore if !is_moment_with_offset(value) => {
                "a time as YYYY-MM-DDThh:mm:ss+hh:mm"
            }
            Self::RedirectSuccessMode | Self::RedirectFailMode | Self::RedirectReturnMode
                if !REDIRECT_MODES.contains(&value) =>
            {
                "iframe, parent_page or blank_page"
            }
            _ => return Ok(text),
        };
        Err(FieldError::Form(wrong))
    }
}

const REDIRECT_MODES: [&str; 3] = ["iframe", "parent_page", "blank_page"];

fn is_language(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// An optional parameter with a number.
///
/// Source: Payment Page, parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberParameter {
    /// Whether the browser goes there after a success: 0, 1 or 2.
    RedirectSuccessEnabled,
    /// Whether the browser goes there after a decline: 0, 1 or 2.
    RedirectFailEnabled,
    /// Whether the provider's page returns: 0, 1 or 2.
    RedirectReturnEnabled,
    /// Whether the button is there after a success: 0, 1 or 2.
    MerchantSuccessEnabled,
    /// Whether the button is there after a decline: 0, 1 or 2.
    MerchantFailEnabled,
    /// Whether the button is there before the end: 0, 1 or 2.
    MerchantReturnEnabled,
    /// Whether a click beside the form closes it: 0 or 1.
    CloseOnMissclick,
    /// Whether the form opens in a tab of its own: 0 or 1.
    Redirect,
    /// The same on a telephone: 0 or 1.
    RedirectOnMobile,
}

impl NumberParameter {
    fn check(self, number: u8) -> Result<u8, FieldError> {
        let (most, form) = match self {
            Self::CloseOnMissclick | Self::Redirect | Self::RedirectOnMobile => (1, "0 or 1"),
            Self::RedirectSuccessEnabled
            | Self::RedirectFailEnabled
            | Self::RedirectReturnEnabled
            | Self::MerchantSuccessEnabled
            | Self::MerchantFailEnabled
            | Self::MerchantReturnEnabled => (2, "0, 1 or 2"),
        };
        if number <= most {
            Ok(number)
        } else {
            Err(FieldError::Form(form))
        }
    }
}

/// The parameters of a Bancontact payment. Names and limits are the platform's.
///
/// Source: Payment Page, parameters; Bancontact, payments through Payment Page.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PaymentPage {
    project_id: ProjectId,
    payment_id: Text,
    payment_amount: MinorUnits,
    payment_currency: Currency,
    customer_id: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_last_name: Option<LastName>,
    force_payment_method: Method,
    #[serde(flatten)]
    customer: BTreeMap<String, Text>,
    #[serde(flatten)]
    texts: BTreeMap<TextParameter, Text>,
    #[serde(flatten)]
    numbers: BTreeMap<NumberParameter, u8>,
}

impl fmt::Debug for PaymentPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PaymentPage")
            .field("project_id", &self.project_id)
            .field("payment_id", &self.payment_id)
            .field("payment_amount", &self.payment_amount)
            .finish_non_exhaustive()
    }
}

impl PaymentPage {
    /// The parameters that the platform demands, with Bancontact as the only method to choose.
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
            force_payment_method: Method::Bancontact,
            customer: BTreeMap::new(),
            texts: BTreeMap::new(),
            numbers: BTreeMap::new(),
        }
    }

    /// With the customer's last name; without it the form asks for it.
    #[must_use]
    pub fn with_last_name(mut self, name: LastName) -> Self {
        self.customer_last_name = Some(name);
        self
    }

    /// With whatever else is known of the customer and the page has a parameter for.
    #[must_use]
    pub fn with_customer(mut self, details: &CustomerDetails) -> Self {
        let parameters = details
            .iter()
            .filter_map(|(detail, text)| Some((detail.parameter()?, text.clone())));
        self.customer.extend(parameters);
        self
    }

    /// With an optional text, if it has the parameter's form.
    pub fn with(mut self, parameter: TextParameter, value: Text) -> Result<Self, FieldError> {
        self.texts.insert(parameter, parameter.check(value)?);
        Ok(self)
    }

    /// With an optional number, if the parameter knows it.
    pub fn with_number(
        mut self,
        parameter: NumberParameter,
        value: u8,
    ) -> Result<Self, FieldError> {
        self.numbers.insert(parameter, parameter.check(value)?);
        Ok(self)
    }

    /// The signed link, on the page at `base`.
    pub fn link(&self, base: &str, key: &ProjectKey) -> Result<String, LinkError> {
        let text = serde_json::to_vec(self).map_err(SignError::from)?;
        link(base, &json::parse(&text, Limits::CALLBACK)?, key)
    }
}

/// The signed link with any parameters of the platform, in their order, after those that `base` may
/// have already.
///
/// Source: Payment Page, about; Signature.
pub fn link(base: &str, parameters: &Value<'_>, key: &ProjectKey) -> Result<String, LinkError> {
    if !matches!(parameters, Value::Object(_)) {
        return Err(LinkError::NotAnObject);
    }
    let mut address = String::from(base);
    let mut separator = if base.contains('?') { '&' } else { '?' };
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
        if text.is_empty() {
            return Err(LinkError::Empty(name.to_string()));
        }
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
    use crate::customer::CustomerDetail;

    #[test]
    fn a_bancontact_link_has_every_mandatory_parameter_and_its_signature() {
        let key = ProjectKey::new("test-secret-key").unwrap();
        let text = |text: &str| Text::new(text).unwrap();
        let page = PaymentPage::new(
            ProjectId::new(211).unwrap(),
            text("X03936"),
            MinorUnits::for_sale(1000).unwrap(),
            Currency::Eur,
            text("123"),
        );
        let mut details = CustomerDetails::default();
        details.set(CustomerDetail::City, "Brugge").unwrap();
        details.set(CustomerDetail::Street, "Markt").unwrap();
        let page = page
            .with_last_name(LastName::new("Johnson").unwrap())
            .with_customer(&details)
            .with(TextParameter::LanguageCode, text("nl"))
            .and_then(|page| page.with(TextParameter::FrameMode, text("iframe")))
            .and_then(|page| page.with_number(NumberParameter::RedirectSuccessEnabled, 2))
            .unwrap();
        assert!(!format!("{page:?}").contains("Johnson"));
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
                "customer_city",
                "language_code",
                "frame_mode",
                "redirect_success_enabled",
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
            r#"{"a":""}"#,
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

    #[test]
    fn a_base_may_have_parameters_of_its_own() {
        let key = ProjectKey::new("k").unwrap();
        let parameters = json::parse(br#"{"project_id":211}"#, Limits::CALLBACK).unwrap();
        let link = |base: &str| link(base, &parameters, &key).unwrap();
        assert!(link("https://p.example/p").starts_with("https://p.example/p?project_id=211&sig"));
        assert!(
            link("https://p.example/p?a=b").starts_with("https://p.example/p?a=b&project_id=211&")
        );
    }

    #[test]
    fn every_parameter_has_its_own_form() {
        let text = |text: &str| Text::new(text).unwrap();
        for (parameter, good, bad) in [
            (TextParameter::LanguageCode, "nl", "nld"),
            (TextParameter::LanguageCode, "FR", "n1"),
            (TextParameter::RegionCode, "BE", "be"),
            (
                TextParameter::BestBefore,
                "2030-01-31T12:00:00+01:00",
                "2030-01-31",
            ),
            (TextParameter::RedirectSuccessMode, "iframe", "popup"),
            (TextParameter::RedirectFailMode, "parent_page", "_parent"),
            (TextParameter::RedirectReturnMode, "blank_page", "blank"),
        ] {
            assert_eq!(parameter.check(text(good)), Ok(text(good)));
            assert!(parameter.check(text(bad)).is_err(), "{bad}");
        }
        for (parameter, most) in [
            (NumberParameter::RedirectSuccessEnabled, 2),
            (NumberParameter::RedirectFailEnabled, 2),
            (NumberParameter::RedirectReturnEnabled, 2),
            (NumberParameter::MerchantSuccessEnabled, 2),
            (NumberParameter::MerchantFailEnabled, 2),
            (NumberParameter::MerchantReturnEnabled, 2),
            (NumberParameter::CloseOnMissclick, 1),
            (NumberParameter::Redirect, 1),
            (NumberParameter::RedirectOnMobile, 1),
        ] {
            assert_eq!(parameter.check(most), Ok(most));
            assert!(parameter.check(most + 1).is_err(), "{parameter:?}");
        }
    }
}
