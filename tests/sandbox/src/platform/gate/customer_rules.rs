//! Applies a project's rules for the customer's data.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::refusal::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerField {
    FirstName,
    LastName,
    Email,
}

impl CustomerField {
    pub fn name(self) -> &'static str {
        match self {
            CustomerField::FirstName => "first_name",
            CustomerField::LastName => "last_name",
            CustomerField::Email => "email",
        }
    }

    /// Adds the last name, which Bancontact always needs, to `fields`.
    pub fn with_last_name(fields: &[CustomerField]) -> Vec<CustomerField> {
        let mut fields = [fields, &[CustomerField::LastName]].concat();
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}

#[derive(Debug, Clone, Default)]
pub struct CustomerRules {
    /// A sale without one of these fields is refused.
    pub mandatory: Vec<CustomerField>,
    /// IPv6 addresses are refused.
    pub ipv4_only: bool,
    /// Names with diacritics are refused.
    pub no_diacritics: bool,
}

impl CustomerRules {
    pub fn check(&self, customer: &Map<String, Value>) -> Result<(), Refusal> {
        for field in &self.mandatory {
            if text(customer, field.name()).is_empty() {
                return Err(Refusal::field(&path(field.name())));
            }
        }
        let address = text(customer, "ip_address").parse::<IpAddr>();
        if self.ipv4_only && address.is_ok_and(|address| address.is_ipv6()) {
            return Err(Refusal::constraint(&path("ip_address"), "ipv4"));
        }
        self.check_names(customer)
    }

    pub fn check_names(&self, customer: &Map<String, Value>) -> Result<(), Refusal> {
        for name in ["first_name", "middle_name", "last_name"] {
            if self.no_diacritics && !text(customer, name).chars().all(is_standard) {
                return Err(Refusal::constraint(&path(name), "no-diacritics"));
            }
        }
        Ok(())
    }
}

fn text<'a>(customer: &'a Map<String, Value>, field: &str) -> &'a str {
    let value = customer.get(field).and_then(Value::as_str);
    value.unwrap_or_default()
}

fn path(field: &str) -> String {
    format!("customer.{field}")
}

/// Whether `no_diacritics` allows a character: a Latin letter without diacritics, a Cyrillic letter, or a character
/// that is no letter.
fn is_standard(character: char) -> bool {
    let is_cyrillic = matches!(character, '\u{400}'..='\u{52f}');
    let is_combining = matches!(character, '\u{300}'..='\u{36f}');
    character.is_ascii() || is_cyrillic || !character.is_alphabetic() && !is_combining
}
