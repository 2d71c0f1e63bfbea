//! Defines the optional parameters of Payment Page and their forms.
//!
//! Source ([list](crate::sources)): Payment Page.

use serde::Serialize;

use crate::customer::is_country;
use crate::fields::date::is_time_with_offset;
use crate::fields::{FieldError, Text};

/// An optional parameter that is a text.
///
/// This crate leaves out these parameters:
///
/// - `force_payment_group`, `hide`: the method is fixed;
/// - `mode`, `operation_type`: Bancontact supports their default values only;
/// - `interface_type`: by agreement with the platform;
/// - `payment_methods_options`, `receipt_data`, `booking_info`, `addendum_data`: Bancontact does not use them;
/// - `target_element`, `css_modal_wrap`, `baseUrl`: for the script of the page, not for a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextParameter {
    /// The description that the page shows to the customer.
    PaymentDescription,
    /// The language of the form, two letters.
    LanguageCode,
    /// The customer's country, two capital letters.
    RegionCode,
    /// The time limit of the payment, `YYYY-MM-DDThh:mm:ss+hh:mm`, at most 30 days ahead.
    BestBefore,
    /// The address for the callbacks of this payment. This address replaces the project's address.
    MerchantCallbackUrl,
    /// The address of the automatic redirect after a success.
    RedirectSuccessUrl,
    /// `iframe`, `parent_page` or `blank_page`.
    RedirectSuccessMode,
    /// The address of the automatic redirect after a decline.
    RedirectFailUrl,
    /// `iframe`, `parent_page` or `blank_page`.
    RedirectFailMode,
    /// The address to which the provider's page returns before the payment is final. The platform must enable this
    /// return first.
    RedirectReturnUrl,
    /// `iframe`, `parent_page` or `blank_page`.
    RedirectReturnMode,
    /// The address of the button after a success.
    MerchantSuccessUrl,
    /// The address of the button after a decline.
    MerchantFailUrl,
    /// The address of the button before the payment is final.
    MerchantReturnUrl,
    /// `popup`, `iframe` or `embedded`. The signature does not cover this parameter.
    FrameMode,
    /// Free text of the merchant.
    PaymentExtraParam,
}

impl TextParameter {
    /// Checks that a text has the form of this parameter.
    pub(super) fn check(self, text: Text) -> Result<Text, FieldError> {
        let value = text.as_str();
        let form = match self {
            Self::LanguageCode if !is_language(value) => "two letters",
            Self::RegionCode if !is_country(value) => "two capital letters",
            Self::BestBefore if !is_time_with_offset(value) => {
                "a time as YYYY-MM-DDThh:mm:ss+hh:mm"
            }
            Self::RedirectSuccessMode | Self::RedirectFailMode | Self::RedirectReturnMode
                if !REDIRECT_MODES.contains(&value) =>
            {
                "iframe, parent_page or blank_page"
            }
            _ => return Ok(text),
        };
        Err(FieldError::Form(form))
    }
}

const REDIRECT_MODES: [&str; 3] = ["iframe", "parent_page", "blank_page"];

fn is_language(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// An optional parameter that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberParameter {
    /// Whether the browser is redirected automatically after a success: 0, 1 or 2.
    RedirectSuccessEnabled,
    /// Whether the browser is redirected automatically after a decline: 0, 1 or 2.
    RedirectFailEnabled,
    /// Whether the provider's page returns automatically: 0, 1 or 2.
    RedirectReturnEnabled,
    /// Whether the page shows the button after a success: 0, 1 or 2.
    MerchantSuccessEnabled,
    /// Whether the page shows the button after a decline: 0, 1 or 2.
    MerchantFailEnabled,
    /// Whether the page shows the button before the payment is final: 0, 1 or 2.
    MerchantReturnEnabled,
    /// Whether a click outside the form closes the form: 0 or 1.
    CloseOnMissclick,
    /// Whether the form opens in a new tab: 0 or 1.
    Redirect,
    /// Whether the form opens in a new tab on a mobile device: 0 or 1.
    RedirectOnMobile,
}

impl NumberParameter {
    /// Checks that this parameter allows a number.
    pub(super) fn check(self, number: u8) -> Result<u8, FieldError> {
        let (max, form) = match self {
            Self::CloseOnMissclick | Self::Redirect | Self::RedirectOnMobile => (1, "0 or 1"),
            Self::RedirectSuccessEnabled
            | Self::RedirectFailEnabled
            | Self::RedirectReturnEnabled
            | Self::MerchantSuccessEnabled
            | Self::MerchantFailEnabled
            | Self::MerchantReturnEnabled => (2, "0, 1 or 2"),
        };
        if number <= max {
            Ok(number)
        } else {
            Err(FieldError::Form(form))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_parameter_is_refused_if_it_is_malformed() {
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
    }

    #[test]
    fn a_number_parameter_is_refused_if_it_exceeds_its_maximum() {
        for (parameter, max) in [
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
            assert_eq!(parameter.check(max), Ok(max));
            assert!(parameter.check(max + 1).is_err(), "{parameter:?}");
        }
    }
}
