//! The form for the data that the platform asks for.

use ecommpay::fields::FieldError;
use lambda_http::Response;
use lambda_http::http::StatusCode;
use maud::{Markup, html};

use super::layout::Page;
use super::texts::Texts;
use crate::clarification::{ClarificationField, Kind};
use crate::language::Language;

/// A form that posts the fields to `address`; with the problems of what was filled in before.
pub fn clarification(
    language: Language,
    address: &str,
    back: &str,
    fields: &[ClarificationField],
) -> Response<String> {
    let texts = language.texts();
    let wrong = fields.iter().position(|field| field.problem.is_some());
    let status = match wrong {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let body = html! {
        form method="post" action=(address) {
            @if wrong.is_some() { p.problems role="alert" { (texts.clarification_problems) } }
            @for (number, field) in fields.iter().enumerate() {
                (self::field(texts, number, field, wrong == Some(number)))
            }
            button { (texts.clarification_button) }
        }
        p { a href=(back) { (texts.back_to_shop) } }
    };
    Page {
        body,
        // The answer to the form can lead to the bank.
        form_leads_to: Some(address.to_owned()),
        ..Page::new(status, language, &texts.clarification)
    }
    .into_response()
}

fn field(texts: &Texts, number: usize, field: &ClarificationField, first_wrong: bool) -> Markup {
    let kind = field.kind();
    let (id, hint_id) = (format!("field-{number}"), format!("hint-{number}"));
    let problem_id = format!("problem-{number}");
    let hint = hint(texts, kind);
    let problem = field
        .problem
        .map(|problem| problem_text(texts, kind, problem));
    let described_by: Vec<&str> = [
        hint.map(|_| hint_id.as_str()),
        problem.as_ref().map(|_| problem_id.as_str()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let described_by = (!described_by.is_empty()).then(|| described_by.join(" "));
    html! {
        div.field {
            label for=(id) {
                (label(texts, kind).unwrap_or(&field.name))
                @if field.is_billing() { " (" (texts.labels.billing) ")" }
            }
            @if let Some(hint) = hint { p.hint id=(hint_id) { (hint) } }
            @if let Some(problem) = &problem { p.problem id=(problem_id) { (problem) } }
            input id=(id) name=(field.name) type=(input_type(kind)) value=(field.value) required
                maxlength=[(kind != Kind::DayOfBirth).then_some(kind.longest())]
                autocomplete=[autocomplete(field, kind)] aria-describedby=[described_by]
                aria-invalid=[problem.is_some().then_some("true")] autofocus[first_wrong];
        }
    }
}

fn label(texts: &Texts, kind: Kind) -> Option<&'static str> {
    let labels = &texts.labels;
    Some(match kind {
        Kind::LastName => labels.last_name,
        Kind::FirstName => labels.first_name,
        Kind::MiddleName => labels.middle_name,
        Kind::Email => labels.email,
        Kind::Phone => labels.phone,
        Kind::Address => labels.address,
        Kind::City => labels.city,
        Kind::State => labels.state,
        Kind::PostalCode => labels.postal_code,
        Kind::Country => labels.country,
        Kind::DayOfBirth => labels.day_of_birth,
        Kind::Other => return None,
    })
}

fn hint(texts: &Texts, kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Phone => Some(texts.hints.phone),
        Kind::Country => Some(texts.hints.country),
        _ => None,
    }
}

fn input_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Email => "email",
        Kind::Phone => "tel",
        Kind::DayOfBirth => "date",
        _ => "text",
    }
}

/// What the browser may fill in by itself.
fn autocomplete(field: &ClarificationField, kind: Kind) -> Option<String> {
    let known = match kind {
        Kind::LastName => "family-name",
        Kind::FirstName => "given-name",
        Kind::MiddleName => "additional-name",
        Kind::Email => "email",
        Kind::Phone => "tel",
        Kind::Address => "address-line1",
        Kind::City => "address-level2",
        Kind::State => "address-level1",
        Kind::PostalCode => "postal-code",
        Kind::Country => "country",
        Kind::DayOfBirth => "bday",
        Kind::Other => return None,
    };
    Some(match field.is_billing() {
        true => format!("billing {known}"),
        false => known.to_owned(),
    })
}

fn problem_text(texts: &Texts, kind: Kind, problem: FieldError) -> String {
    let problems = &texts.problems;
    let with = |text: &str, number: usize| text.replace("{}", &number.to_string());
    match (problem, kind) {
        (FieldError::Empty, _) => problems.missing.to_owned(),
        (FieldError::TooShort(least), _) => with(problems.too_short, least),
        (FieldError::TooLong(most), _) => with(problems.too_long, most),
        (FieldError::Form(_), Kind::Email) => problems.email.to_owned(),
        (FieldError::Form(_), Kind::Phone) => problems.phone.to_owned(),
        (FieldError::Form(_), Kind::Country) => problems.country.to_owned(),
        (FieldError::Form(_), Kind::DayOfBirth) => problems.day_of_birth.to_owned(),
        _ => problems.forbidden_character.to_owned(),
    }
}
