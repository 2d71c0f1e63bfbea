//! Tests the two corpora of callbacks and status answers (`tests/data/callbacks` and `tests/data/callbacks-2`). Each
//! body must have the content that the index of its corpus lists.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

mod corpus;

use corpus::{data, json};
use ecommpay::answer::StatusAnswer;
use ecommpay::json::{JsonError, Limits, Value as Message, parse};
use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::{Operation, RedirectMethod, Report, has_sound_shape};
use ecommpay::signature::{of_message, verify};
use ecommpay::{Keyring, ProjectKey};
use serde_json::Value;

/// The bodies in a folder of `tests/data`, with their index.
struct Corpus {
    folder: &'static str,
    index: Value,
    keyring: Keyring,
}

impl Corpus {
    fn of(folder: &'static str) -> Self {
        let index = json(&format!("{folder}/index.json"));
        let key = ProjectKey::new(index["key"].as_str().unwrap()).unwrap();
        Self {
            folder,
            index,
            keyring: Keyring::new(key, None),
        }
    }

    fn entries(&self) -> &[Value] {
        self.index["callbacks"].as_array().unwrap()
    }

    fn body(&self, entry: &Value) -> Vec<u8> {
        std::fs::read(data(self.folder).join(name_of(entry))).unwrap()
    }

    fn verifies(&self, message: &Message<'_>) -> bool {
        of_message(message)
            .is_some_and(|signature| verify(message, &signature, &self.keyring).is_some())
    }
}

fn name_of(entry: &Value) -> &str {
    entry["file"].as_str().unwrap()
}

/// Returns the text of a string, or the digits of a number.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn assert_payment(report: &Report, expected: &Value) {
    let file = name_of(expected);
    let read = [&report.payment_id, &report.payment_status];
    for (read, field) in read.into_iter().zip(["payment_id", "payment_status"]) {
        assert_eq!(*read, text_of(&expected[field]), "{file} {field}");
    }
    let is_final = expected["final_for_payment"].as_bool();
    assert_eq!(report.is_final(), is_final, "{file}");
}

fn assert_operation(operation: Option<&Operation>, expected: &Value) {
    let file = name_of(expected);
    let read = |field: &str| match field {
        "operation_id" => operation?.id.clone(),
        "operation_type" => Some(operation?.kind.to_string()),
        "operation_status" => Some(operation?.status.clone()),
        _ => operation?.code.clone(),
    };
    for field in ["operation_id", "operation_type", "operation_status", "code"] {
        assert_eq!(read(field), text_of(&expected[field]), "{file} {field}");
    }
    let refund = operation.filter(|operation| operation.kind.gives_back());
    let refunded = refund.and_then(|refund| match refund.outcome() {
        Outcome::Succeeded => Some(refund.sum_initial.as_ref()?.amount),
        Outcome::Pending | Outcome::Declined => Some(0),
    });
    assert_eq!(refunded, expected["refunded_amount"].as_u64(), "{file}");
}

fn assert_redirect(report: &Report, expected: &Value) {
    let file = name_of(expected);
    let Some(redirect) = expected.get("redirect").filter(|one| !one.is_null()) else {
        return;
    };
    let read = report.redirect.as_ref().expect(file);
    assert_eq!(read.url, redirect["url"].as_str().unwrap(), "{file}");
    let is_post = redirect["method"] == "POST";
    assert_eq!(read.method == RedirectMethod::Post, is_post, "{file}");
}

#[test]
fn every_callback_of_the_first_corpus_has_the_content_of_its_index() {
    let corpus = Corpus::of("callbacks");
    for expected in corpus.entries() {
        let file = name_of(expected);
        let body = corpus.body(expected);
        let message = parse(&body, Limits::CALLBACK);
        let verified = message
            .as_ref()
            .is_ok_and(|message| corpus.verifies(message));
        assert_eq!(Value::Bool(verified), expected["valid"], "{file}");
        if !verified {
            continue;
        }
        let message = message.unwrap();
        assert!(has_sound_shape(&message), "{file}");
        let report = Report::read(&message);
        assert_payment(&report, expected);
        // The index lists only `operation`. In the legacy format, the operation is in `operations`.
        if file != "legacy_format.json" {
            assert_operation(report.operations.first(), expected);
        }
        assert_redirect(&report, expected);
    }
    assert_eq!(corpus.entries().len(), 81);
}

/// Reads a message of the second corpus and checks its signature, shape and payment against the index.
fn verified_report(corpus: &Corpus, message: &Message<'_>, expected: &Value) -> Report {
    let file = name_of(expected);
    let verified = corpus.verifies(message);
    assert_eq!(Value::Bool(verified), expected["valid"], "{file}");
    assert!(has_sound_shape(message), "{file}");
    let report = Report::read(message);
    let project_id = report.project_id;
    assert_eq!(project_id, expected["project_id"].as_u64(), "{file}");
    assert_payment(&report, expected);
    report
}

#[test]
fn every_callback_of_the_second_corpus_has_the_content_of_its_index() {
    let corpus = Corpus::of("callbacks-2");
    let of_kind = |entry: &&Value| entry["kind"] == "callback";
    let callbacks: Vec<&Value> = corpus.entries().iter().filter(of_kind).collect();
    for &expected in &callbacks {
        let file = name_of(expected);
        let body = corpus.body(expected);
        let message = parse(&body, Limits::CALLBACK).unwrap();
        let report = verified_report(&corpus, &message, expected);
        assert_operation(report.operations.first(), expected);
        assert_redirect(&report, expected);
        assert_clarification(&report, expected);
        assert_eq!(report.undocumented_status(), None, "{file}");
        let kind = &report.operations.first().unwrap().kind;
        assert!(!matches!(kind, OperationType::Other(_)), "{file}");
        let is_link = file.starts_with("invoice");
        let payment_type = if is_link { "invoice" } else { "purchase" };
        assert_eq!(report.payment_type.as_deref(), Some(payment_type), "{file}");
    }
    assert_eq!(callbacks.len(), 21);
}

fn assert_clarification(report: &Report, expected: &Value) {
    let file = name_of(expected);
    let names = |required_only: bool| {
        let fields = report.clarification_fields.iter();
        let fields = fields.filter(|field| field.required || !required_only);
        let mut names: Vec<&str> = fields.map(|field| field.name.as_str()).collect();
        names.sort_unstable();
        names
    };
    match (expected.get("asked"), expected.get("required")) {
        (Some(requested), Some(required)) => {
            assert_eq!(Value::from(names(false)), *requested, "{file}");
            assert_eq!(Value::from(names(true)), *required, "{file}");
        }
        // The message has the list form, in which all fields are mandatory, or it requests no fields.
        _ => assert_eq!(names(true), names(false), "{file}"),
    }
    let is_requested = expected.get("clarification_fields").is_some();
    assert_eq!(!names(false).is_empty(), is_requested, "{file}");
}

#[test]
fn every_status_answer_of_the_second_corpus_has_the_content_of_its_index() {
    let corpus = Corpus::of("callbacks-2");
    let of_kind = |entry: &&Value| entry["kind"] == "status_answer";
    let answers: Vec<&Value> = corpus.entries().iter().filter(of_kind).collect();
    for &expected in &answers {
        let file = name_of(expected);
        let body = corpus.body(expected);
        let message = parse(&body, Limits::ANSWER).unwrap();
        let report = verified_report(&corpus, &message, expected);
        assert_eq!(
            Value::Array(report.operations.iter().map(listed).collect()),
            *expected.get("operations").unwrap_or(&Value::Array(vec![])),
            "{file}"
        );
        let read = match expected.get("not_found").map(|found| found == true) {
            Some(true) => StatusAnswer::NotFound,
            Some(false) => StatusAnswer::NotReadable,
            None => StatusAnswer::Report(report),
        };
        assert_eq!(StatusAnswer::read(&message), read, "{file}");
    }
    assert_eq!(answers.len(), 7);
}

/// Returns an operation in the form of the index: id, type, status, amount.
fn listed(operation: &Operation) -> Value {
    let id: Option<u64> = operation.id.as_ref().and_then(|id| id.parse().ok());
    let amount = operation.sum_initial.as_ref().map(|sum| sum.amount);
    let kind = operation.kind.as_str();
    serde_json::json!([id, kind, operation.status, amount])
}

#[test]
fn each_kind_of_malformed_json_has_its_own_error() {
    let read = |file: &str| {
        let body = std::fs::read(data("callbacks").join(file)).unwrap();
        parse(&body, Limits::CALLBACK).map(|_| ())
    };
    assert_eq!(
        read("invalid_duplicate_key.json"),
        Err(JsonError::DuplicateKey)
    );
    assert_eq!(read("invalid_bad_utf8.json"), Err(JsonError::NotUtf8));
    assert!(matches!(
        read("invalid_trailing_comma.json"),
        Err(JsonError::NotJson(_))
    ));
    assert_eq!(read("invalid_empty_body.json"), Err(JsonError::NotJson(0)));
    assert_eq!(read("invalid_empty_object.json"), Ok(()));
}
