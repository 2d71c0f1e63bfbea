//! What the fields are about that the platform asks for, and the form in which it takes them.
//!
//! People write dates and telephone numbers in more ways than the platform does; what can be understood
//! is put into its form.

use ecommpay::customer::CustomerDetail;
use ecommpay::fields::{FieldError, LastName, Text};

/// What a field is about, as far as its name is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Bancontact wants 3 to 100 characters.
    LastName,
    /// A first name.
    FirstName,
    /// A middle name.
    MiddleName,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// Street and number.
    Address,
    /// A town.
    City,
    /// A part of a country.
    State,
    /// A postal code.
    PostalCode,
    /// The two letters of a country.
    Country,
    /// A day.
    DayOfBirth,
    /// Not known.
    Other,
}

/// A value for the field of that name, as the platform takes it. No answer can have a `:`
/// ([`ecommpay::gate::Clarification`]).
pub fn check(name: &str, value: &str) -> Result<Text, FieldError> {
    match value.contains(':') {
        true => Err(FieldError::Form("a text without :")),
        false => FieldKind::of(name).check(value),
    }
}

impl FieldKind {
    /// What the field of that name is about.
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

    /// The longest text that is taken, in characters.
    pub fn longest(self) -> usize {
        match self {
            FieldKind::LastName => 100,
            FieldKind::PostalCode => 10,
            // As people write it, with signs between the digits.
            FieldKind::Phone => 40,
            FieldKind::Country => 2,
            _ => Text::MAX,
        }
    }

    /// The value as the platform takes it.
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

/// `+32 (470) 12.34.56` as `32470123456`.
fn digits(phone: &str) -> String {
    phone.replace(['+', ' ', '-', '.', '/', '(', ')'], "")
}

/// `1990-12-31`, which browsers send, and `31/12/1990` as `31-12-1990`.
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
    fn a_value_is_put_into_the_platforms_form() {
        for (name, value, taken) in [
            ("customer.phone", "+32 (470) 12.34/56", "32470123456"),
            ("customer.country", "be", "BE"),
            ("customer.day_of_birth", "1990-12-31", "31-12-1990"),
            ("customer.day_of_birth", "31/12/1990", "31-12-1990"),
            ("customer.billing.postal", "1000", "1000"),
            ("customer.shoe_size", "42", "42"),
            ("last_name", "Maes", "Maes"),
        ] {
            let text = check(name, value).unwrap();
            assert_eq!(text.as_str(), taken, "{name}");
        }
    }

    #[test]
    fn a_value_that_the_platform_would_not_take_is_refused() {
        for (name, value) in [
            ("customer.phone", "ask my mother"),
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
