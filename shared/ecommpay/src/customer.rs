//! Defines optional customer data of a sale.
//!
//! Gate accepts the data as [fields of `customer`](https://api-developers.ecommpay.com). Payment Page accepts the data
//! as [parameters that begin with `customer_`](https://developers.ecommpay.com/en/en_PP_Parameters.html). No field is
//! mandatory for Bancontact. This crate sends neither identity documents nor the billing object, because Bancontact
//! does not use them.
//!
//! Sources ([list](crate::sources)): Gate API; Payment Page.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fields::date::is_day_of_birth;
use crate::fields::{FieldError, Text};

/// A field of the customer data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerDetail {
    /// Up to 255 characters.
    FirstName,
    /// Up to 255 characters.
    MiddleName,
    /// An e-mail address, up to 255 characters.
    Email,
    /// 4 to 24 digits.
    Phone,
    /// An ISO 3166-1 alpha-2 code in capitals.
    Country,
    /// Up to 255 characters.
    State,
    /// Up to 255 characters.
    City,
    /// A postal code, up to 10 characters.
    Zip,
    /// Up to 255 characters.
    Address,
    /// Up to 255 characters; Gate only.
    Street,
    /// A language and a country, such as `nl_BE`; Gate only, because Payment Page has `language_code`.
    Language,
    /// A date as `DD-MM-YYYY`.
    DayOfBirth,
}

impl CustomerDetail {
    /// All details, in the order in which they are sent.
    pub const ALL: [CustomerDetail; 12] = [
        CustomerDetail::FirstName,
        CustomerDetail::MiddleName,
        CustomerDetail::Email,
        CustomerDetail::Phone,
        CustomerDetail::Country,
        CustomerDetail::State,
        CustomerDetail::City,
        CustomerDetail::Zip,
        CustomerDetail::Address,
        CustomerDetail::Street,
        CustomerDetail::Language,
        CustomerDetail::DayOfBirth,
    ];

    /// Returns the name of the field in `customer`.
    pub fn name(self) -> &'static str {
        match self {
            CustomerDetail::FirstName => "first_name",
            CustomerDetail::MiddleName => "middle_name",
            CustomerDetail::Email => "email",
            CustomerDetail::Phone => "phone",
            CustomerDetail::Country => "country",
            CustomerDetail::State => "state",
            CustomerDetail::City => "city",
            CustomerDetail::Zip => "zip",
            CustomerDetail::Address => "address",
            CustomerDetail::Street => "street",
            CustomerDetail::Language => "language",
            CustomerDetail::DayOfBirth => "day_of_birth",
        }
    }

    /// Returns the name of the Payment Page parameter; `None` if Payment Page has no such parameter.
    pub fn parameter(self) -> Option<String> {
        match self {
            CustomerDetail::Street | CustomerDetail::Language => None,
            other => Some(format!("customer_{}", other.name())),
        }
    }

    /// Checks that a text has the form of this detail.
    pub fn check(self, text: impl Into<String>) -> Result<Text, FieldError> {
        let text = Text::new(text)?;
        let form = match self {
            CustomerDetail::Email if !is_email(text.as_str()) => "an e-mail address",
            CustomerDetail::Phone if !is_phone(text.as_str()) => "4 to 24 digits",
            CustomerDetail::Country if !is_country(text.as_str()) => "two capital letters",
            CustomerDetail::Language if !is_language(text.as_str()) => "a language such as nl_BE",
            CustomerDetail::DayOfBirth if !is_day_of_birth(text.as_str()) => "a date as DD-MM-YYYY",
            CustomerDetail::Zip if text.as_str().chars().count() > 10 => {
                return Err(FieldError::TooLong(10));
            }
            _ => return Ok(text),
        };
        Err(FieldError::Form(form))
    }
}

/// The optional data of one customer. `Debug` hides the data.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct CustomerDetails(BTreeMap<CustomerDetail, Text>);

/// Reads stored details. Leaves out a detail that this release does not know.
impl TryFrom<BTreeMap<String, String>> for CustomerDetails {
    type Error = FieldError;

    fn try_from(texts: BTreeMap<String, String>) -> Result<Self, FieldError> {
        let mut details = Self::default();
        for (name, text) in texts {
            let mut known = CustomerDetail::ALL.into_iter();
            if let Some(detail) = known.find(|detail| detail.name() == name) {
                details.set(detail, text)?;
            }
        }
        Ok(details)
    }
}

impl CustomerDetails {
    /// Returns whether there is no detail.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Stores one detail, or fails if the text does not have the form of the detail.
    pub fn set(
        &mut self,
        detail: CustomerDetail,
        text: impl Into<String>,
    ) -> Result<(), FieldError> {
        self.0.insert(detail, detail.check(text)?);
        Ok(())
    }

    /// Returns the details in the order of [`CustomerDetail::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (CustomerDetail, &Text)> {
        self.0.iter().map(|(detail, text)| (*detail, text))
    }
}

impl fmt::Debug for CustomerDetails {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CustomerDetails(hidden)")
    }
}

/// Returns whether a text has a local part, an `@` and a host with a dot. Only a mail server can check more.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let dotted = domain.split_once('.');
    let dotted = dotted.is_some_and(|(host, zone)| !host.is_empty() && !zone.is_empty());
    !local.is_empty() && dotted && !text.contains(char::is_whitespace)
}

fn is_phone(text: &str) -> bool {
    (4..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_language(text: &str) -> bool {
    text.split_once('_').is_some_and(|(language, country)| {
        let lower = language.bytes().all(|byte| byte.is_ascii_lowercase());
        language.len() == 2 && lower && is_country(country)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_detail_is_refused_if_it_is_malformed() {
        for (detail, good, bad) in [
            (CustomerDetail::Email, "a.b@c.example", "a@b c.d"),
            (CustomerDetail::Email, "a@b@c.be", "@c.be"),
            (CustomerDetail::Email, "a@b.c", "a@.c"),
            (CustomerDetail::Email, "a@b.c", "a@b."),
            (CustomerDetail::Email, "a@b.c", "a.b"),
            (CustomerDetail::Phone, "3221", "322"),
            (CustomerDetail::Phone, "324700000001234567890123", "+32470"),
            (CustomerDetail::Country, "BE", "be"),
            (CustomerDetail::Country, "BE", "BEL"),
            (CustomerDetail::Zip, "1000 AB BE", "1000 AB BE1"),
            (CustomerDetail::Language, "nl_BE", "nl"),
            (CustomerDetail::Language, "nl_BE", "NL_BE"),
            (CustomerDetail::Language, "nl_BE", "nld_BE"),
            (CustomerDetail::DayOfBirth, "29-02-2000", "30-02-2000"),
            (CustomerDetail::DayOfBirth, "30-04-1999", "31-04-1999"),
            (CustomerDetail::DayOfBirth, "31-12-1999", "01-13-1999"),
            (CustomerDetail::DayOfBirth, "01-01-1999", "00-01-1999"),
            (CustomerDetail::DayOfBirth, "01-01-1999", "1-1-1999"),
            (CustomerDetail::DayOfBirth, "01-01-1999", "01-01-1999-1"),
            (CustomerDetail::City, "'s-Gravenbrakel", "a;b"),
        ] {
            assert!(detail.check(good).is_ok(), "{good}");
            assert!(detail.check(bad).is_err(), "{bad}");
        }
        let too_long = "3".repeat(25);
        assert!(CustomerDetail::Phone.check(too_long).is_err());
    }

    #[test]
    fn details_have_the_names_of_the_platform_and_are_hidden_in_debug() {
        let mut details = CustomerDetails::default();
        for detail in CustomerDetail::ALL {
            let name = serde_json::to_value(detail).unwrap();
            assert_eq!(name, detail.name());
        }
        details.set(CustomerDetail::City, "Brugge").unwrap();
        details.set(CustomerDetail::FirstName, "Els").unwrap();
        assert!(details.set(CustomerDetail::Phone, "x").is_err());
        assert_eq!(
            serde_json::to_string(&details).unwrap(),
            r#"{"first_name":"Els","city":"Brugge"}"#
        );
        assert_eq!(format!("{details:?}"), "CustomerDetails(hidden)");
        assert_eq!(
            CustomerDetail::DayOfBirth.parameter().as_deref(),
            Some("customer_day_of_birth")
        );
        assert_eq!(CustomerDetail::Street.parameter(), None);
    }
}
