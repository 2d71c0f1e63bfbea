//! Makes the form for the data that the platform requests.

use ecommpay::fields::FieldError;
use lambda_http::Response;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use payments::api::problem::ExternalCause;
use payments::service::clarification::FieldKind;

use super::layout::Page;
use super::shop_link;
use super::texts::Texts;
use crate::form::FormField;
use crate::language::Language;

/// Why the form is shown again although each value is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormNotice {
    /// The data was not sent to the platform, because too many requests wait already.
    NotSent,
    /// The platform gave no clear answer, so it is unknown whether it received the data.
    NoAnswer,
}

/// Shown if the platform requests data: a form that posts its fields to `target`. After a failed submission, the form
/// has the submitted values, and shows the problems of invalid values or the notice.
pub fn clarification(
    language: Language,
    target: &str,
    shop_url: &str,
    fields: &[FormField],
    notice: Option<FormNotice>,
) -> Response<String> {
    let texts = language.texts();
    let invalid = fields.iter().position(|field| field.problem.is_some());
    let (status, alert) = match (invalid, notice) {
        (Some(_), _) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Some(texts.clarification_problems),
        ),
        (None, Some(FormNotice::NotSent)) => (StatusCode::OK, Some(texts.clarification_not_sent)),
        (None, Some(FormNotice::NoAnswer)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Some(texts.clarification_no_answer),
        ),
        (None, None) => (StatusCode::OK, None),
    };
    let body = html! {
        form method="post" action=(target) {
            @if let Some(alert) = alert { p.problems role="alert" { (alert) } }
            @for (number, field) in fields.iter().enumerate() {
                (self::field(texts, number, field, invalid == Some(number)))
            }
            button { (texts.clarification_button) }
        }
        (shop_link(language, shop_url))
    };
    let mut response = Page {
        body,
        // After the post, the browser is redirected to the checkout or to the bank, so the policy must allow both.
        has_form: true,
        ..Page::new(status, language, &texts.clarification)
    }
    .into_response();
    if notice == Some(FormNotice::NoAnswer) {
        response.extensions_mut().insert(ExternalCause);
    }
    response
}

fn field(texts: &Texts, number: usize, field: &FormField, is_first_invalid: bool) -> Markup {
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
                @if !field.required { " (" (texts.labels.optional) ")" }
            }
            @if let Some(hint) = hint { p.hint id=(hint_id) { (hint) } }
            @if let Some(problem) = &problem { p.problem id=(problem_id) { (problem) } }
            input id=(id) name=(field.name) type=(input_type(kind)) value=(field.value)
                required[field.required] maxlength=[(kind != FieldKind::DayOfBirth).then_some(kind.max_length())]
                autocomplete=[autocomplete(field, kind)] aria-describedby=[described_by]
                aria-invalid=[problem.is_some().then_some("true")] autofocus[is_first_invalid];
        }
    }
}

fn label(texts: &Texts, kind: FieldKind) -> Option<&'static str> {
    let labels = &texts.labels;
    Some(match kind {
        FieldKind::LastName => labels.last_name,
        FieldKind::FirstName => labels.first_name,
        FieldKind::MiddleName => labels.middle_name,
        FieldKind::Email => labels.email,
        FieldKind::Phone => labels.phone,
        FieldKind::Address => labels.address,
        FieldKind::City => labels.city,
        FieldKind::State => labels.state,
        FieldKind::PostalCode => labels.postal_code,
        FieldKind::Country => labels.country,
        FieldKind::DayOfBirth => labels.day_of_birth,
        FieldKind::Other => return None,
    })
}

fn hint(texts: &Texts, kind: FieldKind) -> Option<&'static str> {
    match kind {
        FieldKind::Phone => Some(texts.hints.phone),
        FieldKind::Country => Some(texts.hints.country),
        _ => None,
    }
}

fn input_type(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Email => "email",
        FieldKind::Phone => "tel",
        FieldKind::DayOfBirth => "date",
        _ => "text",
    }
}

/// Returns the attribute with which the browser suggests values.
fn autocomplete(field: &FormField, kind: FieldKind) -> Option<String> {
    let known = match kind {
        FieldKind::LastName => "family-name",
        FieldKind::FirstName => "given-name",
        FieldKind::MiddleName => "additional-name",
        FieldKind::Email => "email",
        FieldKind::Phone => "tel",
        FieldKind::Address => "address-line1",
        FieldKind::City => "address-level2",
        FieldKind::State => "address-level1",
        FieldKind::PostalCode => "postal-code",
        FieldKind::Country => "country",
        FieldKind::DayOfBirth => "bday",
        FieldKind::Other => return None,
    };
    Some(match field.is_billing() {
        true => format!("billing {known}"),
        false => known.to_owned(),
    })
}

fn problem_text(texts: &Texts, kind: FieldKind, problem: FieldError) -> String {
    let problems = &texts.problems;
    let insert = |text: &str, number: usize| text.replace("{}", &number.to_string());
    match (problem, kind) {
        (FieldError::Empty, _) => problems.missing.to_owned(),
        (FieldError::TooShort(min), _) => insert(problems.too_short, min),
        (FieldError::TooLong(max), _) => insert(problems.too_long, max),
        (FieldError::Form(_), FieldKind::Email) => problems.email.to_owned(),
        (FieldError::Form(_), FieldKind::Phone) => problems.phone.to_owned(),
        (FieldError::Form(_), FieldKind::Country) => problems.country.to_owned(),
        (FieldError::Form(_), FieldKind::DayOfBirth) => problems.day_of_birth.to_owned(),
        _ => problems.forbidden_character.to_owned(),
    }
}
