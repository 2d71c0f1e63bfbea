//! Reads the body of a clarification: the data that the platform requests for a payment or a refund.

use ecommpay::fields::Text;
use ecommpay::json::{Limits, Value};
use ecommpay::report::ClarificationField;

use crate::api::body::{self, pointer_to};
use crate::api::problem::{FieldProblem, Problem};
use crate::service::clarification::{ClarificationError, check, sendable};

/// The limits of a body. They allow 100 fields with names of 8 parts and values of 255 characters, each of 12 bytes.
const LIMITS: Limits = Limits {
    bytes: 512 * 1024,
    keys: 800,
    ..body::LIMITS
};

/// Reads the values of the requested fields, which the body nests as the platform does: `{"customer": {"last_name":
/// "Janssens"}}`. At least one field must have a value. A null field and a blank optional field count as absent. A
/// field that no request to the platform can contain must be absent.
pub fn read_answers(
    requested: &[ClarificationField],
    body: &[u8],
) -> Result<Vec<(String, Text)>, Problem> {
    let sendable = sendable(requested);
    if sendable.is_empty() {
        return Err(ClarificationError::NotSendable.into());
    }
    let body = body::read_within(body, LIMITS)?;
    let mut read = ReadAnswers::default();
    read.object(&body, "", "", requested, &sendable);
    let names = || {
        let names = sendable.iter().map(|field| field.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    match (read.problems.is_empty(), read.answers.is_empty()) {
        (true, false) => Ok(read.answers),
        (true, true) => Err(Problem::invalid(vec![FieldProblem {
            pointer: String::new(),
            code: "missing",
            detail: format!("must have at least one of {}", names()),
        }])),
        (false, _) => Err(Problem::invalid(read.problems)),
    }
}

#[derive(Default)]
struct ReadAnswers {
    answers: Vec<(String, Text)>,
    problems: Vec<FieldProblem>,
}

impl ReadAnswers {
    /// Reads an object. `path` is the start of the name of each member, for example `customer.`. `pointer` is the
    /// JSON pointer to the object, for example `/customer`.
    fn object(
        &mut self,
        object: &Value<'_>,
        path: &str,
        pointer: &str,
        requested: &[ClarificationField],
        sendable: &[ClarificationField],
    ) {
        for (name, value) in object.members() {
            let pointer = pointer_to(pointer, name);
            let name = format!("{path}{name}");
            if matches!(value, Value::Object(_)) {
                self.object(value, &format!("{name}."), &pointer, requested, sendable);
                continue;
            }
            let (code, detail) = match requested.iter().find(|field| field.name == name) {
                None => ("unknown", "is not requested".to_owned()),
                Some(_) if *value == Value::Null => continue,
                Some(field) if !field.required && is_blank(value) => continue,
                Some(field) if !sendable.contains(field) => (
                    "not-sendable",
                    "is requested, but no request to the platform can carry it".to_owned(),
                ),
                Some(_) => match body::parsed(|text| check(&name, text))(value) {
                    Err(detail) => ("invalid", detail),
                    Ok(text) => {
                        self.answers.push((name, text));
                        continue;
                    }
                },
            };
            self.problems.push(FieldProblem {
                pointer,
                code,
                detail,
            });
        }
    }
}

fn is_blank(value: &Value<'_>) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested<const N: usize>(fields: [(&str, bool); N]) -> [ClarificationField; N] {
        fields.map(|(name, required)| ClarificationField {
            name: name.to_owned(),
            required,
        })
    }

    fn read(requested: &[ClarificationField], body: &str) -> Result<Vec<(String, String)>, String> {
        let answers = read_answers(requested, body.as_bytes());
        let mut answers: Vec<_> = answers
            .map_err(|problem| serde_json::to_string(&problem).unwrap())?
            .into_iter()
            .map(|(name, text)| (name, text.as_str().to_owned()))
            .collect();
        answers.sort_unstable();
        Ok(answers)
    }

    fn answers<const N: usize>(answers: [(&str, &str); N]) -> Vec<(String, String)> {
        answers
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into()
    }

    #[test]
    fn answers_are_read_from_nested_objects() {
        let requested = requested([
            ("customer.last_name", true),
            ("customer.billing.city", true),
            ("avs.code", true),
        ]);
        let body =
            r#"{"customer":{"billing":{"city":"Gent"},"last_name":"Maes"},"avs":{"code":"1"}}"#;
        assert_eq!(
            read(&requested, body).unwrap(),
            answers([
                ("avs.code", "1"),
                ("customer.billing.city", "Gent"),
                ("customer.last_name", "Maes"),
            ])
        );
    }

    #[test]
    fn an_empty_field_is_ignored_if_it_is_optional_and_refused_if_it_is_required() {
        let requested = requested([("customer.last_name", true), ("customer.email", false)]);
        let name_only = answers([("customer.last_name", "Maes")]);
        for email in [r#""""#, r#"" ""#, "null"] {
            let body = format!(r#"{{"customer":{{"last_name":"Maes","email":{email}}}}}"#);
            assert_eq!(read(&requested, &body).unwrap(), name_only, "{email}");
        }
        let body = r#"{"customer":{"last_name":null,"email":"els@shop.example"}}"#;
        let email_only = answers([("customer.email", "els@shop.example")]);
        assert_eq!(read(&requested, body).unwrap(), email_only);
        let problem = read(&requested, r#"{"customer":{"last_name":""}}"#).unwrap_err();
        assert!(problem.contains("/customer/last_name"), "{problem}");
        let problem = read(&requested, r#"{"customer":{"email":"els"}}"#).unwrap_err();
        assert!(problem.contains("/customer/email"), "{problem}");
    }

    #[test]
    fn a_body_without_a_value_is_refused_with_the_names_of_the_fields() {
        let requested = requested([("customer.email", false), ("customer.city", false)]);
        for body in ["{}", r#"{"customer":{"email":""}}"#] {
            let problem = read(&requested, body).unwrap_err();
            assert!(
                problem.contains("customer.email, customer.city"),
                "{problem}"
            );
        }
    }

    #[test]
    fn a_requested_field_that_cannot_be_sent_is_refused_and_the_other_fields_are_read() {
        let requested = requested([
            ("customer.last-name", true),
            ("customer.billing", true),
            ("customer.billing.city", true),
        ]);
        let body = r#"{"customer":{"billing":{"city":"Gent"}}}"#;
        let city = answers([("customer.billing.city", "Gent")]);
        assert_eq!(read(&requested, body).unwrap(), city);
        for (body, pointer) in [
            (
                r#"{"customer":{"last-name":"Maes"}}"#,
                "/customer/last-name",
            ),
            (r#"{"customer":{"billing":"Gent"}}"#, "/customer/billing"),
        ] {
            let problem = read(&requested, body).unwrap_err();
            assert!(problem.contains("not-sendable"), "{problem}");
            assert!(problem.contains(pointer), "{problem}");
        }
        let problem = read(&requested[..1], "{}").unwrap_err();
        assert!(problem.contains("cannot send"), "{problem}");
    }

    #[test]
    fn a_body_with_the_longest_values_of_all_fields_is_read() {
        let text = "\\ud83e\\udd80".repeat(255);
        let mut body = Vec::new();
        let mut requested = Vec::new();
        for number in 0..100 {
            let parts: Vec<_> = (0..7).map(|part| format!("{part}_{number}")).collect();
            requested.push(ClarificationField {
                name: format!("{}.field", parts.join(".")),
                required: true,
            });
            let objects = parts.iter().map(|part| format!(r#""{part}":{{"#));
            let objects = objects.collect::<String>();
            body.push(format!(r#"{objects}"field":"{text}"{}"#, "}".repeat(7)));
        }
        let body = format!("{{{}}}", body.join(","));
        assert_eq!(read(&requested, &body).unwrap().len(), 100);
    }
}
