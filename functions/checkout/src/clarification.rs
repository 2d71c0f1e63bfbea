//! What the platform asks the shopper for: the fields of the form, and reading what was filled in.
//!
//! Only what was asked for is read, and only in a form that the platform takes and that can be
//! signed.

use std::fmt;

use ecommpay::fields::{FieldError, Text};
use ecommpay::report::ClarificationField;
use payments::service::clarification::{FieldKind, check};
use url::form_urlencoded;

/// The longest body that is read.
const MOST_BYTES: usize = 16 * 1024;

/// One field of the form: what is asked for, what the shopper has filled in, what is wrong with it.
#[derive(Clone, PartialEq, Eq)]
pub struct FormField {
    /// The platform's name with its objects, as in `customer.billing.city`.
    pub name: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// As filled in; empty at first.
    pub value: String,
    /// Why it was not taken.
    pub problem: Option<FieldError>,
}

/// Shows no personal data.
impl fmt::Debug for FormField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FormField")
            .field("name", &self.name)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

/// An empty form for the fields that the platform asks for.
pub fn form(asked: &[ClarificationField]) -> Vec<FormField> {
    let mut fields: Vec<FormField> = Vec::new();
    for field in asked {
        match fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => known.required |= field.required,
            None => fields.push(FormField {
                name: field.name.clone(),
                required: field.required,
                value: String::new(),
                problem: None,
            }),
        }
    }
    fields
}

/// Reads a posted form (`application/x-www-form-urlencoded`): each field that was filled in with its
/// value, or the form as it is to be shown again. An optional field may be left empty, but not all
/// fields.
pub fn read(
    asked: &[ClarificationField],
    body: &[u8],
) -> Result<Vec<(String, Text)>, Vec<FormField>> {
    let mut fields = form(asked);
    // Nobody's form is that long, so nothing is lost by not reading it.
    let body = if body.len() > MOST_BYTES { &[] } else { body };
    let mut answers = Vec::new();
    for field in &mut fields {
        let posted = form_urlencoded::parse(body).find(|(name, _)| *name == field.name);
        field.value = posted.map_or_else(String::new, |(_, value)| value.trim().to_owned());
        if field.value.is_empty() && !field.required {
            continue;
        }
        match check(&field.name, &field.value) {
            Ok(text) => answers.push((field.name.clone(), text)),
            Err(problem) => field.problem = Some(problem),
        }
    }
    let has_problem = fields.iter().any(|field| field.problem.is_some());
    if let (false, true, Some(first)) = (has_problem, answers.is_empty(), fields.first_mut()) {
        first.problem = Some(FieldError::Empty);
        return Err(fields);
    }
    match has_problem {
        true => Err(fields),
        false => Ok(answers),
    }
}

impl FormField {
    /// What it is about.
    pub fn kind(&self) -> FieldKind {
        FieldKind::of(&self.name)
    }

    /// Whether it is a part of a billing address.
    pub fn is_billing(&self) -> bool {
        self.name.split('.').any(|part| part == "billing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, required: bool) -> ClarificationField {
        ClarificationField {
            name: name.to_owned(),
            required,
        }
    }

    fn asked<const N: usize>(names: [&str; N]) -> [ClarificationField; N] {
        names.map(|name| field(name, true))
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
    fn an_optional_field_may_be_left_empty_and_is_not_sent() {
        let asked = [
            field("customer.last_name", true),
            field("customer.email", false),
        ];
        let read = |body: &str| read(&asked, body.as_bytes());
        for rest in ["", "&customer.email=", "&customer.email=+"] {
            let answers = read(&format!("customer.last_name=Maes{rest}")).unwrap();
            assert_eq!(answers.len(), 1, "{rest}");
            assert_eq!(answers[0].0, "customer.last_name");
        }
        let both = read("customer.last_name=Maes&customer.email=els%40shop.example");
        assert_eq!(both.unwrap().len(), 2);
        let problems = |body: &str| {
            let fields = read(body).unwrap_err().into_iter();
            fields.map(|field| field.problem).collect::<Vec<_>>()
        };
        assert_eq!(
            problems("customer.email=els%40shop.example"),
            [Some(FieldError::Empty), None]
        );
        let wrong = problems("customer.last_name=Maes&customer.email=els");
        assert!(
            matches!(wrong[..], [None, Some(FieldError::Form(_))]),
            "{wrong:?}"
        );
    }

    #[test]
    fn a_form_in_which_nothing_is_filled_in_is_shown_again() {
        let asked = [
            field("customer.email", false),
            field("customer.city", false),
        ];
        let fields = read(&asked, b"customer.email=&customer.city=").unwrap_err();
        assert_eq!(fields[0].problem, Some(FieldError::Empty));
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
        let fields = form(&[field("customer.city", false), field("customer.city", true)]);
        assert!(fields[0].required);
        assert_eq!(read(&[], b"").unwrap(), []);
    }
}
