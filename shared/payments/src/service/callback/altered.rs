//! What may have been done to a body after it was signed, and how it was before.

use std::borrow::Cow;

use ecommpay::json::Value;

/// No more members of a body are tried.
pub(super) const MOST_MEMBERS: usize = 50;
/// No path into a body is told in more letters.
const LONGEST_PATH: usize = 80;

/// Undoes what was done to a text; `None`: nothing was.
type Restore = fn(&str) -> Option<String>;

/// The body as it may have been before somebody saved it, and what they did then.
pub(super) fn restored<'a>(message: &'a Value<'a>) -> impl Iterator<Item = (String, Value<'a>)> {
    let texts: [(&str, Restore); 3] = [
        (
            "it verifies with its HTML entities read: they were put in",
            without_entities,
        ),
        (
            "it verifies with its texts read as UTF-8: they were taken for Latin-1",
            without_latin,
        ),
        (
            "it verifies with its texts unescaped once more: they were escaped twice",
            without_escapes,
        ),
    ];
    let texts = texts
        .into_iter()
        .map(|(how, restore)| (how.to_owned(), map_texts(message, restore)));
    let members = message.members();
    let is_few = members.len() <= MOST_MEMBERS;
    let added = members.iter().filter(move |_| is_few).map(|(name, _)| {
        let others = members.iter().filter(|(other, _)| other != name);
        let how = format!("it verifies without {}: that was added", start_of(name));
        (how, Value::Object(others.cloned().collect()))
    });
    texts.chain(added)
}

fn map_texts<'a>(value: &Value<'a>, restore: Restore) -> Value<'a> {
    match value {
        Value::String(text) => Value::String(match restore(text) {
            Some(restored) => Cow::Owned(restored),
            None => text.clone(),
        }),
        Value::Array(elements) => Value::Array(
            elements
                .iter()
                .map(|element| map_texts(element, restore))
                .collect(),
        ),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), map_texts(member, restore)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn without_entities(text: &str) -> Option<String> {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#039;", "'"),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    text.contains('&').then(|| {
        let start = text.to_owned();
        entities
            .iter()
            .fold(start, |text, (entity, letter)| text.replace(entity, letter))
    })
}

fn without_latin(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|one| u8::try_from(one).ok()).collect();
    String::from_utf8(bytes?).ok()
}

fn without_escapes(text: &str) -> Option<String> {
    let is_escaped = text.contains('\\');
    is_escaped.then(|| serde_json::from_str(&format!("\"{text}\"")).ok())?
}

/// Marks of what can no longer be restored.
pub(super) fn spoiled(message: &Value<'_>) -> Option<String> {
    let is_lost = |text: &str| text.contains('\u{fffd}');
    if let Some(path) = find_text(message, String::new(), &is_lost) {
        return Some(format!("letters were lost under {path}"));
    }
    let path = find_text(message, String::new(), &is_hidden)?;
    Some(format!("the value under {path} seems to be hidden"))
}

/// The platform itself hides the middle of account numbers, but never all of a value.
fn is_hidden(text: &str) -> bool {
    let words = ["redacted", "filtered", "masked", "removed", "hidden"];
    let word = text.trim_matches(|one: char| !one.is_ascii_alphabetic());
    let is_word = word.len() < text.len() && words.contains(&word.to_ascii_lowercase().as_str());
    is_word || text.len() >= 3 && text.bytes().all(|byte| byte == b'*')
}

/// The path of the first text that is such.
fn find_text(value: &Value<'_>, path: String, is_such: &dyn Fn(&str) -> bool) -> Option<String> {
    match value {
        Value::String(text) => is_such(text).then(|| start_of(&path)),
        Value::Array(elements) => {
            let mut numbered = elements.iter().enumerate();
            numbered
                .find_map(|(index, element)| find_text(element, format!("{path}.{index}"), is_such))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let path = match path.is_empty() {
                true => name.to_string(),
                false => format!("{path}.{name}"),
            };
            find_text(member, path, is_such)
        }),
        _ => None,
    }
}

/// The start of a name, which whoever wrote the body has chosen.
pub(super) fn start_of(name: &str) -> String {
    name.chars().take(LONGEST_PATH).collect()
}
