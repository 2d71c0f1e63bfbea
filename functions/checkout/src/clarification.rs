//! What the platform asks the shopper for: the fields of the form, and reading what was filled in.
//!
//! Only what was asked for is read, and only in a form that the platform takes and that can be
//! signed. People write dates and telephone numbers in more ways than the platform does; what can
//! be understood is put into its form.

use std::fmt;

use ecommpay::customer::CustomerDetail;
use ecommpay::fields::{FieldError, LastName, Text};
use url::form_urlencoded;

/// The longest body that is read.
const MOST_BYTES: usize = 16 * 1024;

/// One field of the form: what is asked for, what the shopper has filled in, what is wrong with it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClarificationField {
    /// The platform's name with its objects, as in `customer.billing.city`.
    pub name: String,
    /// As filled in; empty at first.
    pub value: String,
    /// Why it was not taken.
    pub problem: Option<FieldError>,
}

/// Shows no personal data.
impl fmt::Debug for ClarificationField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClarificationField")
            .field("name", &self.name)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

/// What a field is about, as far as its name is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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
    /// Nothing we know.
    Other,
}

/// An empty form for the fields that the platform asks for.
pub fn form(asked: &[String]) -> Vec<ClarificationField> {
    let mut fields: Vec<ClarificationField> = Vec::new();
    for name in asked {
        if !fields.iter().any(|field| field.name == *name) {
            fields.push(ClarificationField {
                name: name.clone(),
                value: String::new(),
                problem: None,
            });
        }
    }
    fields
}

/// Reads a posted form (`application/x-www-form-urlencoded`): each field that was asked for with its
/// value, or the form as it is to be shown again.
pub fn read(asked: &[String], body: &[u8]) -> Result<Vec<(String, Text)>, Vec<ClarificationField>> {
    let mut fields = form(asked);
    // Nobody's form is that long, so nothing is lost by not reading it.
    let body = if body.len() > MOST_BYTES { &[] } else { body };
    let mut answers = Vec::new();
    for field in &mut fields {
        let posted = form_urlencoded::parse(body).find(|(name, _)| *name == field.name);
        field.value = posted.map_or_else(String::new, |(_, value)| value.trim().to_owned());
        match check(&field.name, &field.value) {
            Ok(text) => answers.push((field.name.clone(), text)),
            Err(problem) => field.problem = Some(problem),
        }
    }
    match answers.len() == fields.len() {
        true => Ok(answers),
        false => Err(fields),
    }
}

/// A value for the field of that name, as the platform takes it. No answer can have a `:`
/// ([`ecommpay::gate::Clarification`]).
pub fn check(name: &str, value: &str) -> Result<Text, FieldError> {
    match value.contains(':') {
        true => Err(FieldError::Form("a text without :")),
        false => Kind::of(name).check(value),
    }
}

impl Kind {
    /// What the field of that name is about.
    fn of(name: &str) -> Self {
        let (_, last) = name.rsplit_once('.').unwrap_or(("", name));
        match last {
            "last_name" => Kind::LastName,
            "first_name" => Kind::FirstName,
            "middle_name" => Kind::MiddleName,
            "email" => Kind::Email,
            "phone" => Kind::Phone,
            "address" | "street" | "avs_street_address" => Kind::Address,
            "city" => Kind::City,
            "state" | "region" => Kind::State,
            "postal" | "postal_code" | "zip" | "avs_post_code" => Kind::PostalCode,
            "country" => Kind::Country,
            "day_of_birth" => Kind::DayOfBirth,
            _ => Kind::Other,
        }
    }
}

impl ClarificationField {
    /// What it is about.
    pub fn kind(&self) -> Kind {
        Kind::of(&self.name)
    }

    /// Whether it is a part of a billing address.
    pub fn is_billing(&self) -> bool {
        self.name.split('.').any(|part| part == "billing")
    }
}

impl Kind {
    /// The longest text that is taken, in characters.
    pub fn longest(self) -> usize {
        match self {
            Kind::LastName => 100,
            Kind::PostalCode => 10,
            // As people write it, with signs between the digits.
            Kind::Phone => 40,
            Kind::Country => 2,
            _ => Text::MAX,
        }
    }

    /// The value as the platform takes it.
    fn check(self, value: &str) -> Result<Text, FieldError> {
        match self {
            Kind::LastName => LastName::new(value).and_then(|name| Text::new(String::from(name))),
            Kind::Email => CustomerDetail::Email.check(value),
            Kind::Phone => CustomerDetail::Phone.check(digits(value)),
            Kind::PostalCode => CustomerDetail::Zip.check(value),
            Kind::Country => CustomerDetail::Country.check(value.to_ascii_uppercase()),
            Kind::DayOfBirth => CustomerDetail::DayOfBirth.check(day_first(value)),
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

    fn asked<const N: usize>(names: [&str; N]) -> [String; N] {
        names.map(str::to_owned)
    }

    fn read_one(name: &str, value: &str) -> Result<String, FieldError> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair(name, value)
            .finish();
        match read(&asked([name]), body.as_bytes()) {
            Ok(answers) => Ok(answers[0].1.as_str().to_owned()),
            Err(fields) => Err(fields[0].problem.unwrap()),
        }
    }

    #[test]
    fn what_was_asked_for_is_read_and_nothing_else() {
        let names = asked(["customer.last_name", "customer.billing.city"]);
        let body = b"customer.billing.city=%27s-Gravenbrakel&customer.id=1&\
            customer.last_name=+Maes%C3%A9+&customer.last_name=Other";
        let answers = read(&names, body).unwrap();
        let answers: Vec<_> = answers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            answers,
            [
                ("customer.last_name", "Maes\u{e9}"),
                ("customer.billing.city", "'s-Gravenbrakel")
            ]
        );
    }

    #[test]
    fn every_wrong_field_is_named_and_every_value_kept() {
        let names = asked(["customer.last_name", "customer.email", "customer.city"]);
        let body = b"customer.last_name=Li&customer.email=els%40shop.example";
        let fields = read(&names, body).unwrap_err();
        let seen: Vec<_> = fields
            .iter()
            .map(|field| (field.value.as_str(), field.problem))
            .collect();
        assert_eq!(
            seen,
            [
                ("Li", Some(FieldError::TooShort(3))),
                ("els@shop.example", None),
                ("", Some(FieldError::Empty))
            ]
        );
        assert!(!format!("{fields:?}").contains("els@"));
    }

    #[test]
    fn values_are_put_into_the_platforms_form() {
        for (name, value, taken) in [
            ("customer.phone", "+32 (470) 12.34/56", "32470123456"),
            ("customer.country", "be", "BE"),
            ("customer.day_of_birth", "1990-12-31", "31-12-1990"),
            ("customer.day_of_birth", "31/12/1990", "31-12-1990"),
            ("customer.billing.postal", " 1000 ", "1000"),
            ("customer.shoe_size", "42", "42"),
            ("last_name", "Maes", "Maes"),
        ] {
            assert_eq!(read_one(name, value).as_deref(), Ok(taken), "{name}");
        }
    }

    #[test]
    fn what_the_platform_would_not_take_is_refused() {
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
            ("customer.shoe_size", " "),
        ] {
            assert!(read_one(name, value).is_err(), "{name} {value}");
        }
        let long = "x".repeat(256);
        assert_eq!(
            read_one("customer.city", &long),
            Err(FieldError::TooLong(255))
        );
    }

    #[test]
    fn a_body_over_the_limit_is_not_read() {
        let mut body = b"customer.city=Brugge&x=".to_vec();
        body.resize(MOST_BYTES, b'x');
        assert!(read(&asked(["customer.city"]), &body).is_ok());
        body.push(b'x');
        assert!(read(&asked(["customer.city"]), &body).is_err());
        assert!(read(&asked(["customer.city"]), b"customer.city=%FF%00").is_err());
    }

    #[test]
    fn a_field_that_is_asked_for_twice_is_shown_once() {
        let fields = form(&asked(["customer.city", "customer.city"]));
        assert_eq!(fields.len(), 1);
        assert_eq!(read(&[], b"").unwrap(), []);
    }
}
