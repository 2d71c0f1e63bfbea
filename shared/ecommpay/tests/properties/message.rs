//! Generates random messages, and spells them as JSON in different ways.

use std::collections::HashSet;

use ecommpay::json::{JsonError, Limits, Value, parse};
use ecommpay::signature::{canonical, of_message, verify};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::model;
use super::{key, keyring};

/// A message before it is spelled as JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    /// The integer, spelled with `.0`.
    Fraction(i64),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Texts with many quotes, slashes, separators, digits and characters outside of ASCII.
pub fn texts() -> impl Strategy<Value = String> {
    let special = select(vec![
        '"',
        '\\',
        '/',
        ':',
        ';',
        '0',
        '1',
        ' ',
        '\t',
        '\n',
        '\r',
        '\u{0}',
        '\u{8}',
        '\u{c}',
        '\u{1f}',
        '\u{7f}',
        '\u{85}',
        '\u{2028}',
        '\u{d7ff}',
        '\u{e000}',
        '\u{fffd}',
        '\u{ffff}',
        '\u{10000}',
        '\u{1f600}',
        '\u{10ffff}',
        '\u{e9}',
    ]);
    let character = prop_oneof![3 => special, 2 => prop::char::range('a', 'z'), 1 => any::<char>()];
    let free = vec(character, 0..12).prop_map(|text| text.into_iter().collect());
    let known = select(vec![
        "", "0", "1", "true", "false", "null", "10", "-1", "[]",
    ]);
    prop_oneof![3 => free, 1 => known.prop_map(String::from)]
}

/// Keys whose paths are always different in natural order. They are not empty, and they have no white space, no leading
/// zeros, and no colon at the start or end. A path doubles each colon of a key. So with such colons, two paths could be
/// equal: `b` in `a:` and `:b` in `a` both have the path `a:::b`.
pub fn keys() -> impl Strategy<Value = String> {
    let free = texts().prop_map(|text| {
        let text: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '\t'..='\r'))
            .collect();
        let text = text.trim_start_matches([':', '0']).trim_end_matches(':');
        format!("{}{text}", if text.is_empty() { "k" } else { "" })
    });
    prop_oneof![
        3 => "[a-z_]{1,6}",
        1 => "[a-c][1-9]?[0-9]{0,2}",
        1 => "0|[1-9][0-9]?|general",
        1 => free,
    ]
    .prop_filter("not part of the canonical string", |key| {
        key != "signature" && key != "frame_mode"
    })
}

pub fn scalars() -> impl Strategy<Value = Node> {
    prop_oneof![
        1 => Just(Node::Null),
        1 => any::<bool>().prop_map(Node::Bool),
        1 => select(vec![0, 1, -1, i64::MAX, i64::MIN]).prop_map(Node::Integer),
        2 => any::<i64>().prop_map(Node::Integer),
        4 => texts().prop_map(Node::Text),
    ]
}

/// Keys that are often the start of another key, or whose path compares as equal to another path.
fn ambiguous_keys() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a_-]{1,3}",
        1 => "[a_-]{0,2}[ :0-9\u{0}\u{e9}]?[a_-]{0,1}",
    ]
}

fn objects(
    keys: impl Strategy<Value = String>,
    values: impl Strategy<Value = Node>,
) -> impl Strategy<Value = Node> {
    vec((keys, values), 0..6).prop_map(|mut members| {
        let mut seen = HashSet::new();
        members.retain(|(key, _)| seen.insert(key.clone()));
        Node::Object(members)
    })
}

fn nodes_with<K: Strategy<Value = String> + 'static>(
    keys: fn() -> K,
) -> impl Strategy<Value = Node> {
    scalars().prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..14).prop_map(Node::Array),
            objects(keys(), inner)
        ]
    })
}

pub fn nodes() -> impl Strategy<Value = Node> {
    nodes_with(keys)
}

/// Messages: an object at the top level.
pub fn messages() -> impl Strategy<Value = Node> {
    objects(keys(), nodes())
}

/// Messages with [`ambiguous_keys`], whose lines are hard to sort.
pub fn ambiguous_messages() -> impl Strategy<Value = Node> {
    objects(ambiguous_keys(), nodes_with(ambiguous_keys))
}

/// Random choices from a seed. With the seed 0, every choice is the first one.
pub struct Choices(pub u64);

impl Choices {
    pub fn below(&mut self, bound: usize) -> usize {
        // This is xorshift64*. From the state 0 it gives only 0.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        random as usize % bound
    }

    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == bound - 1
    }

    pub fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Returns a JSON text of `node`; `choices` decides on white space, the order of keys, and escapes.
pub fn spell(node: &Node, choices: &mut Choices) -> String {
    let mut json = space(choices).to_string();
    match node {
        Node::Null => json.push_str("null"),
        Node::Bool(flag) => json.push_str(&flag.to_string()),
        Node::Integer(_) | Node::Fraction(_) => json.push_str(&signed_text(node)),
        Node::Text(text) => json.push_str(&spell_text(text, choices)),
        Node::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(|each| spell(each, choices)).collect();
            let inside = match elements.is_empty() {
                true => space(choices).to_string(),
                false => elements.join(","),
            };
            json.push_str(&format!("[{inside}]"));
        }
        Node::Object(members) => {
            let mut spelled: Vec<String> = Vec::new();
            for (key, value) in members {
                let member = [
                    space(choices),
                    &spell_text(key, choices),
                    space(choices),
                    ":",
                    &spell(value, choices),
                ]
                .concat();
                let at = spelled.len() - choices.below(spelled.len() + 1);
                spelled.insert(at, member);
            }
            let inside = match spelled.is_empty() {
                true => space(choices).to_string(),
                false => spelled.join(","),
            };
            json.push_str(&format!("{{{inside}}}"));
        }
    }
    json.push_str(space(choices));
    json
}

pub fn space(choices: &mut Choices) -> &'static str {
    choices.of(&["", "", "", " ", "\n", "\t", "\r\n", " \t\r\n "])
}

pub fn spell_text(text: &str, choices: &mut Choices) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        let short = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '/' => Some("\\/"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            _ => None,
        };
        let must_escape = matches!(character, '"' | '\\' | '\u{0}'..='\u{1f}');
        match (choices.below(4), short) {
            (0 | 1, _) if !must_escape => json.push(character),
            (0..=2, Some(short)) => json.push_str(short),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    json.push_str("\\u");
                    for digit in format!("{unit:04x}").chars() {
                        json.push(match choices.one_in(2) {
                            true => digit.to_ascii_uppercase(),
                            false => digit,
                        });
                    }
                }
            }
        }
    }
    json + "\""
}

/// Returns a JSON text of `message` with `signature` at the top level or in `general`.
pub fn spell_signed(message: &Node, signature: &str, choices: &mut Choices) -> String {
    let mut message = message.clone();
    let carried = ("signature".to_owned(), Node::Text(signature.into()));
    if let Node::Object(members) = &mut message {
        let general = members.iter_mut().find(|(key, _)| key == "general");
        match general {
            Some((_, Node::Object(general))) if choices.one_in(2) => general.push(carried),
            _ => members.push(carried),
        }
    }
    spell(&message, choices)
}

/// Returns whether the reader's tree is equal to `node`, apart from the order of keys.
pub fn same(read: &Value<'_>, node: &Node) -> bool {
    match (read, node) {
        (Value::Null, Node::Null) => true,
        (Value::Bool(read), Node::Bool(flag)) => read == flag,
        (Value::Number(read), Node::Integer(_) | Node::Fraction(_)) => *read == signed_text(node),
        (Value::String(read), Node::Text(text)) => read == text,
        (Value::Array(read), Node::Array(elements)) => {
            read.len() == elements.len() && read.iter().zip(elements).all(|(r, n)| same(r, n))
        }
        (Value::Object(read), Node::Object(members)) => {
            let found = |key: &String| read.iter().find(|(name, _)| name == key);
            read.len() == members.len()
                && members
                    .iter()
                    .all(|(key, node)| found(key).is_some_and(|(_, value)| same(value, node)))
        }
        _ => false,
    }
}

pub fn read(json: &str) -> Result<Value<'_>, JsonError> {
    parse(json.as_bytes(), Limits::CALLBACK)
}

/// Returns the canonical string of a message that is spelled without optional white space and escapes.
pub fn canonical_of_node(node: &Node) -> String {
    canonical_of_json(&spell(node, &mut Choices(0)))
}

pub fn canonical_of_json(json: &str) -> String {
    String::from_utf8(canonical(&read(json).unwrap())).unwrap()
}

pub fn verifies(json: &str) -> bool {
    let message = read(json).unwrap();
    of_message(&message).is_some_and(|signature| verify(&message, &signature, &keyring()).is_some())
}

pub fn sign(node: &Node) -> String {
    key().sign(canonical_of_node(node).as_bytes()).to_base64()
}

pub fn scalars_of<'a>(node: &'a mut Node, found: &mut Vec<&'a mut Node>) {
    match node {
        Node::Array(elements) => elements.iter_mut().for_each(|each| scalars_of(each, found)),
        Node::Object(members) => members
            .iter_mut()
            .for_each(|(_, each)| scalars_of(each, found)),
        scalar => found.push(scalar),
    }
}

/// Returns the text of a scalar in the canonical string.
pub fn signed_text(scalar: &Node) -> String {
    match scalar {
        Node::Null => String::new(),
        Node::Bool(flag) => u8::from(*flag).to_string(),
        Node::Integer(number) => number.to_string(),
        Node::Fraction(number) => format!("{number}.0"),
        Node::Text(text) => text.clone(),
        Node::Array(_) | Node::Object(_) => unreachable!("not a scalar"),
    }
}

/// Returns the canonical string of a message, as the reference model builds it.
pub fn reference_string(message: &Node) -> String {
    model::canonical(&read(&spell(message, &mut Choices(0))).unwrap())
}
