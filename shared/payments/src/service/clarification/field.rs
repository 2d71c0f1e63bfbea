//! Checks the fields that the platform can request, and converts their values. The conversion is needed, because people
//! write dates and telephone numbers in many forms, and the platform accepts only one form.

use ecommpay::customer::CustomerDetail;
use ecommpay::fields::{FieldError, LastName, Text};
use ecommpay::gate::sendable_names;
use ecommpay::report::ClarificationField;

/// The kind of a field, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A last name. Bancontact requires 3 to 100 characters.
    LastName,
    /// A first name.
    FirstName,
    /// A middle name.
    MiddleName,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A street and a number.
    Address,
    /// A city.
    City,
    /// A state or region.
    State,
    /// A postal code.
    PostalCode,
    /// A country, as its two-letter code.
    Country,
    /// A date of birth.
    DayOfBirth,
    /// Any other field.
    Other,
}

/// Returns the requested fields that a request to the platform can contain ([`sendable_names`]).
pub fn sendable(requested: &[ClarificationField]) -> Vec<ClarificationField> {
    let names = sendable_names(requested.iter().map(|field| field.name.as_str()));
    let fields = requested.iter();
    let fields = fields.filter(|field| names.contains(field.name.as_str()));
    fields.cloned().collect()
}

/// Checks the value of a field and converts it to the platform's form. Refuses a value with a `:` (see
/// [`ecommpay::gate::Clarification`]).
pub fn check(name: &str, value: &str) -> Result<Text, FieldError> {
    match value.contains(':') {
        true => Err(FieldError::Form("a text without :")),
        false => FieldKind::of(name).check(value),
    }
}

impl FieldKind {
    /// Returns the kind of the field with this name.
    pub fn of(name: &str) -> Self {
        let (_, last) = name.rsplit_once('.').unwrap_or(("", name));
        match last {
            "last_name" => FieldKind::LastName,
            "first_name" => FieldKind::FirstName,
            "middle_name" => FieldKind::MiddleName,
            "email" => FieldKind::Email,
            "phone" => FieldKind::Phone,
            "address" | "street" | "avs_street_address" => FieldKind::Address,
            "city" => FieldKind::City,
            "state" | "region" => FieldKind::State,
            "postal" | "postal_code" | "zip" | "avs_post_code" => FieldKind::PostalCode,
            "country" => FieldKind::Country,
            "day_of_birth" => FieldKind::DayOfBirth,
            _ => FieldKind::Other,
        }
    }

    /// Returns the maximum length of a value, in characters.
    pub fn max_length(self) -> usize {
        match self {
            FieldKind::LastName => 100,
            FieldKind::PostalCode => 10,
            // People write spaces and signs between the digits.
            FieldKind::Phone => 40,
            FieldKind::Country => 2,
            _ => Text::MAX,
        }
    }

    fn check(self, value: &str) -> Result<Text, FieldError> {
        match self {
            FieldKind::LastName => {
                LastName::new(value).and_then(|name| Text::new(String::from(name)))
            }
            FieldKind::Email => CustomerDetail::Email.check(value),
            FieldKind::Phone => CustomerDetail::Phone.check(digits(value)),
            FieldKind::PostalCode => CustomerDetail::Zip.check(value),
            FieldKind::Country => CustomerDetail::Country.check(value.to_ascii_uppercase()),
            FieldKind::DayOfBirth => CustomerDetail::DayOfBirth.check(day_first(value)),
            _ => Text::new(value),
        }
    }
}

/// Converts `+32 (470) 12.34.56` to `32470123456`.
fn digits(phone: &str) -> String {
    phone.replace(['+', ' ', '-', '.', '/', '(', ')'], "")
}

/// Converts `1990-12-31`, which browsers send, and `31/12/1990` to `31-12-1990`.
fn day_first(date: &str) -> String {
    let date = date.replace(['/', '.'], "-");
    match *date.split('-').collect::<Vec<_>>() {
        [year, month, day] if year.len() == 4 => format!("{day}-{month}-{year}"),
        _ => date,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_converted_to_the_platforms_form() {
        for (name, value, expected) in [
            ("customer.phone", "+32 (470) 12.34/56", "32470123456"),
            ("customer.country", "be", "BE"),
            ("customer.day_of_birth", "1990-12-31", "31-12-1990"),
            ("customer.day_of_birth", "31/12/1990", "31-12-1990"),
            ("customer.billing.postal", "1000", "1000"),
            ("customer.shoe_size", "42", "42"),
            ("last_name", "Maes", "Maes"),
        ] {
            let text = check(name, value).unwrap();
            assert_eq!(text.as_str(), expected, "{name}");
        }
    }

    #[test]
    fn a_value_without_a_valid_form_is_refused() {
        for (name, value) in [
            ("customer.phone", "unknown"),
            ("customer.phone", "+"),
            ("customer.country", "Belgium"),
            ("customer.day_of_birth", "1990-02-30"),
            ("customer.day_of_birth", "yesterday"),
            ("customer.email", "els"),
            ("customer.zip", "12345678901"),
            ("customer.city", "Brugge;payment:amount:1"),
            ("customer.city", "a\nb"),
            ("customer.city", "billing:Gent"),
            ("customer.shoe_size", ""),
        ] {
            assert!(check(name, value).is_err(), "{name} {value}");
        }
        let long = "x".repeat(256);
        assert_eq!(check("customer.city", &long), Err(FieldError::TooLong(255)));
    }
}
