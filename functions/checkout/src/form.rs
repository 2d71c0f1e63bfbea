//! Defines the clarification form: its fields, and the values that the shopper entered.
//!
//! Only the values of requested fields are read. A value is refused if the platform would not accept its format, or if
//! it cannot be signed.

use std::collections::HashMap;
use std::fmt;

use ecommpay::fields::{FieldError, Text};
use ecommpay::report::ClarificationField;
use lambda_http::Request;
use lambda_http::http::header;
use payments::service::clarification::{FieldKind, check};
use url::form_urlencoded;

/// A posted body has at most this number of bytes for each requested field. A larger body counts as empty. The limit is
/// sufficient, because the form limits a value to 255 characters, and a character needs at most 12 bytes in a posted
/// body.
const BYTES_PER_FIELD: usize = 4 * 1024;
/// The content type of a posted form.
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// A field of the form.
#[derive(Clone, PartialEq, Eq)]
pub struct FormField {
    /// The platform's name of the field with its path, for example `customer.billing.city`.
    pub name: String,
    /// Whether the shopper must enter a value.
    pub required: bool,
    /// The value that the shopper entered; empty at first.
    pub value: String,
    /// Why the value was not accepted.
    pub problem: Option<FieldError>,
}

/// Omits the value, which is personal data.
impl fmt::Debug for FormField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FormField")
            .field("name", &self.name)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

/// Creates an empty form. A field that the platform requests twice occurs only once.
pub fn empty(requested: &[ClarificationField]) -> Vec<FormField> {
    let mut fields: Vec<FormField> = Vec::new();
    for field in requested {
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

/// Creates a form with these values.
pub fn filled(requested: &[ClarificationField], values: &[(String, Text)]) -> Vec<FormField> {
    let mut fields = empty(requested);
    for field in &mut fields {
        let value = values.iter().find(|(name, _)| *name == field.name);
        field.value = value.map_or_else(String::new, |(_, value)| value.as_str().to_owned());
    }
    fields
}

/// Returns the posted form of a request. Returns an empty body if the content type is not that of a form. A request
/// without a content type counts as a form.
pub fn body(request: &Request) -> &[u8] {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_form = content_type.is_none_or(|value| {
        let value = value.to_str().unwrap_or_default();
        let media_type = value.split(';').next().unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case(CONTENT_TYPE)
    });
    if is_form { request.body() } else { &[] }
}

/// Reads the values of a posted form. If a value is not accepted, returns all fields with their problems instead. An
/// optional field may be empty, but at least one field must have a value.
pub fn read(
    requested: &[ClarificationField],
    body: &[u8],
) -> Result<Vec<(String, Text)>, Vec<FormField>> {
    let mut fields = empty(requested);
    let max_bytes = fields.len().saturating_mul(BYTES_PER_FIELD);
    let body = if body.len() > max_bytes { &[] } else { body };
    let mut posted: HashMap<_, _> = HashMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        posted.entry(name).or_insert(value);
    }
    let mut answers = Vec::new();
    for field in &mut fields {
        let value = posted.get(field.name.as_str());
        field.value = value.map_or_else(String::new, |value| value.trim().to_owned());
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
    /// Returns the kind of data, derived from the name of the field.
    pub fn kind(&self) -> FieldKind {
        FieldKind::of(&self.name)
    }

    /// Whether the field belongs to a billing address.
    pub fn is_billing(&self) -> bool {
        self.name.split('.').any(|part| part == "billing")
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::Body;
    use lambda_http::http::HeaderValue;

    use super::*;

    fn field(name: &str, required: bool) -> ClarificationField {
        ClarificationField {
            name: name.to_owned(),
            required,
        }
    }

    fn requested<const N: usize>(names: [&str; N]) -> [ClarificationField; N] {
        names.map(|name| field(name, true))
    }

    #[test]
    fn only_requested_fields_are_read() {
        let fields = requested(["customer.last_name", "customer.billing.city"]);
        let body = b"customer.billing.city=%27s-Gravenbrakel&customer.id=1&\
            customer.last_name=+Maes%C3%A9+&customer.last_name=Other";
        let answers = read(&fields, body).unwrap();
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
    fn every_invalid_field_has_its_problem_and_every_value_is_returned() {
        let fields = requested(["customer.last_name", "customer.email", "customer.city"]);
        let body = b"customer.last_name=Li&customer.email=els%40shop.example";
        let fields = read(&fields, body).unwrap_err();
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
    fn an_empty_optional_field_is_no_problem_and_is_not_sent() {
        let requested = [
            field("customer.last_name", true),
            field("customer.email", false),
        ];
        let read = |body: &str| read(&requested, body.as_bytes());
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
    fn a_form_without_any_value_reports_a_problem_at_its_first_field() {
        let requested = [
            field("customer.email", false),
            field("customer.city", false),
        ];
        let fields = read(&requested, b"customer.email=&customer.city=").unwrap_err();
        assert_eq!(fields[0].problem, Some(FieldError::Empty));
    }

    #[test]
    fn a_body_over_the_limit_is_not_read() {
        let mut body = b"customer.city=Brugge&x=".to_vec();
        body.resize(BYTES_PER_FIELD, b'x');
        assert!(read(&requested(["customer.city"]), &body).is_ok());
        body.push(b'x');
        assert!(read(&requested(["customer.city"]), &body).is_err());
        assert!(read(&requested(["customer.city"]), b"customer.city=%FF%00").is_err());
    }

    #[test]
    fn a_form_with_the_longest_values_of_all_fields_is_read() {
        let names: Vec<_> = (0..100)
            .map(|number| format!("customer.f{number}"))
            .collect();
        let requested: Vec<_> = names.iter().map(|name| field(name, true)).collect();
        let value = "%F0%9F%A6%80".repeat(255);
        let body: Vec<_> = names.iter().map(|name| format!("{name}={value}")).collect();
        let answers = read(&requested, body.join("&").as_bytes()).unwrap();
        assert_eq!(answers.len(), 100);
    }

    #[test]
    fn a_body_that_is_no_form_counts_as_empty() {
        let mut request = Request::new(Body::from("customer.city=Brugge"));
        assert_eq!(body(&request), request.body().as_ref());
        for (content_type, is_form) in [
            ("application/x-www-form-urlencoded; charset=UTF-8", true),
            ("Application/X-WWW-Form-Urlencoded", true),
            ("multipart/form-data; boundary=x", false),
            ("application/json", false),
            ("", false),
        ] {
            let value = HeaderValue::from_static(content_type);
            request.headers_mut().insert(header::CONTENT_TYPE, value);
            assert_eq!(!body(&request).is_empty(), is_form, "{content_type}");
        }
    }

    #[test]
    fn a_field_that_is_requested_twice_occurs_once() {
        let fields = empty(&requested(["customer.city", "customer.city"]));
        assert_eq!(fields.len(), 1);
        let fields = empty(&[field("customer.city", false), field("customer.city", true)]);
        assert!(fields[0].required);
        assert_eq!(read(&[], b"").unwrap(), []);
    }
}
