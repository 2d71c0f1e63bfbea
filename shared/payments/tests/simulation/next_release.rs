//! Emulates the next release, which stores fields and words that this release does not know.
//!
//! The next release writes an unknown field into every object of a document, and unknown words in some of the places
//! that [`WORDS`] lists. The next release reads the documents of both releases. Each write of this release must keep
//! every unknown field and word.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The name of the unknown field. The value of the field shows to which object the field belongs.
const FIELD: &str = "next";
/// The start of each unknown word.
const PREFIX: &str = "next_";

/// The fields whose words the next release replaces: the name of the field, and the name of its object or list.
const WORDS: [(&str, &str); 10] = [
    ("state", "request"),
    ("duplicate", "request"),
    ("status", "refunds"),
    ("status", "emitted"),
    ("status", "last"),
    ("verdict", "decisions"),
    ("kind", "pending"),
    ("channel", "order"),
    ("method", "redirect"),
    ("outcome", "finals"),
];

/// If one of these fields has changed, another object has replaced the object.
const REPLACED: [&str; 6] = [
    "number",
    "id",
    "order",
    "date",
    "operation_date",
    "payment_date",
];

fn parse(document: &str) -> Value {
    serde_json::from_str(document).unwrap()
}

/// Returns a document of this release as the next release stores it. `replaces` decides for each known word whether the
/// next release replaces the word.
pub fn to_next(document: &str, mut replaces: impl FnMut() -> bool) -> String {
    let mut value = parse(document);
    value["format"] = json!(2);
    add(&mut value, "", "", &mut replaces);
    value.to_string()
}

fn add(value: &mut Value, path: &str, name: &str, replaces: &mut impl FnMut() -> bool) {
    match value {
        Value::Object(object) => {
            for (field, value) in object.iter_mut() {
                // The field with the type of an operation has the name of a word, but can have any text.
                let is_type = field == "kind" && path.starts_with("/reported");
                let is_word = WORDS.contains(&(field, name)) && value.is_string() && !is_type;
                if is_word && replaces() {
                    *value = json!(format!("{PREFIX}{}", value.as_str().unwrap()));
                }
                add(value, &format!("{path}/{field}"), field, replaces);
            }
            // A map has keys and no fields.
            if !["operations", "fields", "request_errors", "callbacks"].contains(&name) {
                object.insert(FIELD.into(), json!(path));
            }
        }
        Value::Array(elements) => {
            for element in elements {
                let path = format!("{path}/{}", key_of(element, name));
                add(element, &path, name, replaces);
            }
        }
        _ => {}
    }
}

/// Returns what the next release reads of a document of either release. The next release knows all fields and words.
pub fn to_known(stored: &str) -> String {
    let mut value = parse(stored);
    value["format"] = json!(1);
    remove(&mut value);
    value.to_string()
}

fn remove(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.remove(FIELD);
            for value in object.values_mut() {
                remove(value);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove),
        Value::String(text) => {
            if let Some(known) = text.strip_prefix(PREFIX) {
                *text = known.to_owned();
            }
        }
        _ => {}
    }
}

/// Returns the key of an element of a list: the id of a refund, or the known content.
fn key_of(element: &Value, name: &str) -> String {
    let mut known = element.clone();
    remove(&mut known);
    let id = ["refund_id", "operation_id"].map(|id| known[id].as_str().map(str::to_owned));
    let [refund_id, operation_id] = id;
    let content = || known.to_string().replace('/', "|");
    match (name, &known) {
        ("refunds", Value::String(text)) => {
            let fields: Vec<&str> = text.splitn(7, ';').collect();
            match fields[3] {
                "" => fields[6].to_owned(),
                id => id.to_owned(),
            }
        }
        ("refunds", _) => refund_id.or(operation_id).unwrap_or_default(),
        _ => content(),
    }
}

/// Returns the unknown words of a document with their paths.
pub fn unknown_words(document: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    find_words(&parse(document), "", "", &mut words);
    words
}

fn find_words(value: &Value, path: &str, name: &str, words: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (field, value) in object {
                find_words(value, &format!("{path}/{field}"), field, words);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                let path = format!("{path}/{}", key_of(element, name));
                find_words(element, &path, name, words);
            }
        }
        Value::String(text) if text.starts_with(PREFIX) => {
            words.insert(format!("{path}: {text}"));
        }
        _ => {}
    }
}

/// Checks that a write of this release has kept every unknown field and every unknown word. A newer report can replace
/// what a pending operation waits for. Only such a replacement removes words.
pub fn check_kept(before: &str, after: &str) {
    let words = unknown_words(after);
    for word in unknown_words(before) {
        let is_kept = words.contains(&word) || word.contains("/pending/waiting/");
        assert!(is_kept, "the unknown word {word} is lost");
    }
    let (before, after) = (parse(before), parse(after));
    check_object(&before, &after, "", "");
    let format = |value: &Value| value["format"].as_u64().unwrap();
    assert!(format(&after) >= format(&before), "the format decreased");
    check_belongs(&after, "", "");
}

fn check_object(before: &Value, after: &Value, path: &str, name: &str) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            if is_replaced(before, after) {
                return;
            }
            let is_kept = !before.contains_key(FIELD) || before.get(FIELD) == after.get(FIELD);
            assert!(is_kept, "{path}: the unknown field is lost");
            for (field, before) in before {
                if let Some(after) = after.get(field) {
                    check_object(before, after, &format!("{path}/{field}"), field);
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for element in before {
                let key = key_of(element, name);
                // A repeated report can have the same content as a report with an unknown word.
                let mut same: Vec<_> = after
                    .iter()
                    .filter(|one| key_of(one, name) == key)
                    .collect();
                same.sort_by_key(|one| one.get(FIELD).is_none());
                if let Some(same) = same.first() {
                    check_object(element, same, &format!("{path}/{key}"), name);
                }
            }
        }
        (Value::Object(before), Value::String(_)) => {
            assert_eq!(
                before.get(FIELD),
                None,
                "{path}: an unknown field became a short text"
            );
        }
        _ => {}
    }
}

fn is_replaced(before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    REPLACED.iter().any(|field| {
        let values = [before.get(*field), after.get(*field)];
        let is_object = values.iter().flatten().any(|value| value.is_object());
        !is_object && values[0] != values[1]
    })
}

/// Checks that each unknown field still belongs to the object into which the field was written.
fn check_belongs(value: &Value, path: &str, name: &str) {
    match value {
        Value::Object(object) => {
            if let Some(field) = object.get(FIELD) {
                assert_eq!(field, path, "an unknown field is in another object");
            }
            for (field, value) in object {
                check_belongs(value, &format!("{path}/{field}"), field);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                let path = format!("{path}/{}", key_of(element, name));
                check_belongs(element, &path, name);
            }
        }
        _ => {}
    }
}
