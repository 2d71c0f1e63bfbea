//! Undoes alterations that a tool possibly made to a signed body.

use std::borrow::Cow;

use ecommpay::json::Value;

/// The maximum number of members that a search examines. The search for an added member is skipped if the body has
/// more members. The search for a callback inside a member (`unsigned.rs`) examines only the first members.
pub(super) const MAX_MEMBERS: usize = 50;
/// The maximum length of a name or a path in an observation, in characters.
const MAX_PATH: usize = 80;

/// Undoes one kind of alteration in one string; `None` if the string shows no sign of this alteration.
type Restore = fn(&str) -> Option<String>;

/// Returns the bodies that the platform possibly sent. Each body is `message` without one possible alteration. The text
/// beside a body is an observation, which is true if the body verifies.
pub(super) fn restored<'a>(message: &'a Value<'a>) -> impl Iterator<Item = (String, Value<'a>)> {
    let restores: [(&str, Restore); 3] = [
        (
            "the body verifies after its HTML entities are decoded; a tool has added the entities",
            decode_entities,
        ),
        (
            "the body verifies if its strings are decoded as UTF-8; a tool has decoded them as Latin-1",
            decode_latin1,
        ),
        (
            "the body verifies after its strings are unescaped once more; a tool has escaped them twice",
            unescape,
        ),
    ];
    let restored = restores
        .into_iter()
        .map(|(observation, restore)| (observation.to_owned(), map_strings(message, restore)));
    let members = message.members();
    let is_few = members.len() <= MAX_MEMBERS;
    let added = members.iter().filter(move |_| is_few).map(|(name, _)| {
        let others = members.iter().filter(|(other, _)| other != name);
        let name = start_of(name);
        let observation = format!("the body verifies without {name}; that field was added");
        (observation, Value::Object(others.cloned().collect()))
    });
    restored.chain(added)
}

fn map_strings<'a>(value: &Value<'a>, restore: Restore) -> Value<'a> {
    match value {
        Value::String(text) => Value::String(match restore(text) {
            Some(restored) => Cow::Owned(restored),
            None => text.clone(),
        }),
        Value::Array(elements) => Value::Array(
            elements
                .iter()
                .map(|element| map_strings(element, restore))
                .collect(),
        ),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), map_strings(member, restore)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn decode_entities(text: &str) -> Option<String> {
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

fn decode_latin1(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = text
        .chars()
        .map(|letter| u8::try_from(letter).ok())
        .collect();
    String::from_utf8(bytes?).ok()
}

fn unescape(text: &str) -> Option<String> {
    let is_escaped = text.contains('\\');
    is_escaped.then(|| serde_json::from_str(&format!("\"{text}\"")).ok())?
}

pub(super) fn observe_damage(message: &Value<'_>) -> Option<String> {
    let is_lost = |text: &str| text.contains('\u{fffd}');
    if let Some(path) = find_string(message, String::new(), &is_lost) {
        return Some(format!("characters were lost under {path}"));
    }
    let path = find_string(message, String::new(), &is_masked)?;
    Some(format!("the value under {path} seems to be masked"))
}

/// Whether a whole value is masked. The platform makes no such mask: it masks only the middle of account numbers.
fn is_masked(text: &str) -> bool {
    let words = ["redacted", "filtered", "masked", "removed", "hidden"];
    let word = text.trim_matches(|letter: char| !letter.is_ascii_alphabetic());
    let is_word = word.len() < text.len() && words.contains(&word.to_ascii_lowercase().as_str());
    is_word || text.len() >= 3 && text.bytes().all(|byte| byte == b'*')
}

fn find_string(value: &Value<'_>, path: String, is_match: &dyn Fn(&str) -> bool) -> Option<String> {
    match value {
        Value::String(text) => is_match(text).then(|| start_of(&path)),
        Value::Array(elements) => {
            let mut numbered = elements.iter().enumerate();
            numbered.find_map(|(index, element)| {
                find_string(element, format!("{path}.{index}"), is_match)
            })
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let path = match path.is_empty() {
                true => name.to_string(),
                false => format!("{path}.{name}"),
            };
            find_string(member, path, is_match)
        }),
        _ => None,
    }
}

/// Returns the first [`MAX_PATH`] characters of a name, because a body can contain a name of any length.
pub(super) fn start_of(name: &str) -> String {
    name.chars().take(MAX_PATH).collect()
}
