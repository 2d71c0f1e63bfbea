//! Properties of the reader, the canonical string and the order of paths, on random input.
//!
//! Some hundred cases each by default. `LONG=1 cargo test --release -p ecommpay --test properties`
//! takes 100,000 of each, and 1,000,000 where a case is cheap.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::cmp::Ordering;
use std::collections::HashSet;

use ecommpay::ProjectKey;
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::gate::{Customer, General, Request, ReturnUrl, Sale, SalePayment};
use ecommpay::json::{JsonError, Limits, Value, parse};
use ecommpay::path_order::compare;
use ecommpay::signature::{canonical, canonical_of, of_message};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// `few` cases, or `many` with `LONG=1`.
fn cases(few: u32, many: u32) -> ProptestConfig {
    let long = std::env::var_os("LONG").is_some_and(|long| long == "1");
    ProptestConfig {
        cases: if long { many } else { few },
        max_shrink_iters: 20_000,
        // The filters throw little away, but a long run throws away much of little.
        max_local_rejects: u32::MAX,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn key() -> ProjectKey {
    ProjectKey::new("a-key-of-the-properties").unwrap()
}

// ------------------------------------------------------------------------------------------------
// Messages

/// A message before it is spelled as JSON.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Text with more than its share of what matters: quotes, slashes, separators, digits, emoji.
fn texts() -> impl Strategy<Value = String> {
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

/// Keys of which no two paths compare equal in natural order, or are spelled alike: no white
/// space, no leading zeros, not empty, no colon at an end (`a:` and `:b` in `a` would give one
/// path, with doubled colons).
fn keys() -> impl Strategy<Value = String> {
    let free = texts().prop_map(|text| {
        let text: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '\t'..='\r'))
            .collect();
        let text = text.trim_matches(':').trim_start_matches('0');
        let text = text.trim_start_matches(':');
        format!("{}{text}", if text.is_empty() { "k" } else { "" })
    });
    prop_oneof![
        3 => "[a-z_]{1,6}",
        1 => "[a-c][1-9]?[0-9]{0,2}",
        1 => "0|[1-9][0-9]?|general",
        1 => free,
    ]
    .prop_filter("takes no part in the string", |key| {
        key != "signature" && key != "frame_mode"
    })
}

fn scalars() -> impl Strategy<Value = Node> {
    prop_oneof![
        1 => Just(Node::Null),
        1 => any::<bool>().prop_map(Node::Bool),
        1 => select(vec![0, 1, -1, i64::MAX, i64::MIN]).prop_map(Node::Integer),
        2 => any::<i64>().prop_map(Node::Integer),
        4 => texts().prop_map(Node::Text),
    ]
}

fn objects(values: impl Strategy<Value = Node>) -> impl Strategy<Value = Node> {
    vec((keys(), values), 0..6).prop_map(|mut members| {
        let mut seen = HashSet::new();
        members.retain(|(key, _)| seen.insert(key.clone()));
        Node::Object(members)
    })
}

fn nodes() -> impl Strategy<Value = Node> {
    scalars().prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..14).prop_map(Node::Array),
            objects(inner)
        ]
    })
}

/// A message: an object at the top.
fn messages() -> impl Strategy<Value = Node> {
    objects(nodes())
}

// ------------------------------------------------------------------------------------------------
// Spellings

/// Small decisions, made from a seed; the seed 0 always takes the first.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        // xorshift64*: stays 0 at 0.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        random as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == bound - 1
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// One legal spelling of `node`: white space, order of keys and escapes as `choices` will have it.
fn spell(node: &Node, choices: &mut Choices) -> String {
    let mut json = space(choices).to_string();
    match node {
        Node::Null => json.push_str("null"),
        Node::Bool(flag) => json.push_str(&flag.to_string()),
        Node::Integer(number) => json.push_str(&number.to_string()),
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

fn space(choices: &mut Choices) -> &'static str {
    choices.of(&["", "", "", " ", "\n", "\t", "\r\n", " \t\r\n "])
}

fn spell_text(text: &str, choices: &mut Choices) -> String {
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

/// A spelling with the signature that `signature` gives, at the top or in `general`.
fn spell_signed(message: &Node, signature: &str, choices: &mut Choices) -> String {
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

/// Whether the reader's tree is `node`, whatever the order of keys.
fn same(read: &Value<'_>, node: &Node) -> bool {
    match (read, node) {
        (Value::Null, Node::Null) => true,
        (Value::Bool(read), Node::Bool(flag)) => read == flag,
        (Value::Number(read), Node::Integer(number)) => *read == number.to_string(),
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

fn read(json: &str) -> Result<Value<'_>, JsonError> {
    parse(json.as_bytes(), Limits::CALLBACK)
}

/// The canonical string of a message in its plainest spelling.
fn canonical_of_node(node: &Node) -> String {
    canonical_of_json(&spell(node, &mut Choices(0)))
}

fn canonical_of_json(json: &str) -> String {
    String::from_utf8(canonical(&read(json).unwrap())).unwrap()
}

fn verifies(json: &str) -> bool {
    let message = read(json).unwrap();
    of_message(&message).is_some_and(|signature| key().verifies(&canonical(&message), &signature))
}

fn sign(node: &Node) -> String {
    key().sign(canonical_of_node(node).as_bytes()).to_base64()
}

// ------------------------------------------------------------------------------------------------
// Changes

fn scalars_of<'a>(node: &'a mut Node, found: &mut Vec<&'a mut Node>) {
    match node {
        Node::Array(elements) => elements.iter_mut().for_each(|each| scalars_of(each, found)),
        Node::Object(members) => members
            .iter_mut()
            .for_each(|(_, each)| scalars_of(each, found)),
        scalar => found.push(scalar),
    }
}

/// What stands after the path in a scalar's line.
fn signed_text(scalar: &Node) -> String {
    match scalar {
        Node::Null => String::new(),
        Node::Bool(flag) => u8::from(*flag).to_string(),
        Node::Integer(number) => number.to_string(),
        Node::Text(text) => text.clone(),
        Node::Array(_) | Node::Object(_) => unreachable!("not a scalar"),
    }
}

/// The canonical string as the rules tell it, with the order of the reference model below.
fn reference_string(message: &Node) -> String {
    let mut lines = Vec::new();
    collect_lines(message, &[], &mut lines);
    lines.sort_by_key(|(path, _)| parts(path.as_bytes()));
    let lines: Vec<String> = lines
        .into_iter()
        .map(|(path, value)| format!("{path}:{value}"))
        .collect();
    lines.join(";")
}

fn collect_lines(node: &Node, names: &[String], lines: &mut Vec<(String, String)>) {
    let below = |name: String| [names, &[name]].concat();
    match node {
        Node::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                collect_lines(element, &below(index.to_string()), lines);
            }
        }
        Node::Object(members) => {
            for (key, member) in members {
                collect_lines(member, &below(key.replace(':', "::")), lines);
            }
        }
        scalar => lines.push((names.join(":"), signed_text(scalar))),
    }
}

/// Changes `node` in every way that the signature does not see.
fn change_unseen(node: &Node, choices: &mut Choices) -> Node {
    match node {
        Node::Array(elements) => {
            let mut elements: Vec<Node> = elements
                .iter()
                .map(|element| change_unseen(element, choices))
                .collect();
            // Only at the end, or the indices of the others would change.
            while matches!(elements.last(), Some(last) if is_void(last)) && choices.one_in(2) {
                elements.pop();
            }
            if choices.one_in(3) {
                elements.push(void(choices));
            }
            if !choices.one_in(2) {
                return Node::Array(elements);
            }
            let members = elements.into_iter().enumerate();
            Node::Object(
                members
                    .map(|(index, each)| (index.to_string(), each))
                    .collect(),
            )
        }
        Node::Object(members) => {
            let mut changed: Vec<(String, Node)> = Vec::new();
            for (key, member) in members {
                let member = change_unseen(member, choices);
                if !(is_void(&member) && choices.one_in(2)) {
                    changed.push((key.clone(), member));
                }
            }
            for unseen in ["frame_mode", "signature"] {
                if choices.one_in(3) {
                    changed.push((unseen.into(), anything(choices)));
                }
            }
            if choices.one_in(3) && changed.iter().all(|(key, _)| key != "void") {
                changed.push(("void".into(), void(choices)));
            }
            as_array(&changed)
                .filter(|_| choices.one_in(2))
                .unwrap_or(Node::Object(changed))
        }
        scalar => {
            let spellings = match signed_text(scalar).as_str() {
                "" => vec![Node::Null],
                "0" => vec![Node::Bool(false), Node::Integer(0)],
                "1" => vec![Node::Bool(true), Node::Integer(1)],
                text => {
                    let number = text.parse().ok().map(Node::Integer);
                    let number = number.filter(|number| signed_text(number) == text);
                    number.into_iter().collect()
                }
            };
            let text = Node::Text(signed_text(scalar));
            let spellings: Vec<Node> = [scalar.clone(), text]
                .into_iter()
                .chain(spellings)
                .collect();
            spellings[choices.below(spellings.len())].clone()
        }
    }
}

/// The array that gives the same lines as an object with the keys 0, 1, 2 ..
fn as_array(members: &[(String, Node)]) -> Option<Node> {
    let member = |index: usize| members.iter().find(|(key, _)| *key == index.to_string());
    let elements: Option<Vec<Node>> = (0..members.len())
        .map(|index| member(index).map(|(_, node)| node.clone()))
        .collect();
    elements.map(Node::Array)
}

/// Whether a node gives no line.
fn is_void(node: &Node) -> bool {
    match node {
        Node::Array(elements) => elements.iter().all(is_void),
        Node::Object(members) => members.iter().all(|(_, member)| is_void(member)),
        _ => false,
    }
}

fn void(choices: &mut Choices) -> Node {
    match choices.below(4) {
        0 => Node::Array(vec![]),
        1 => Node::Object(vec![]),
        2 => Node::Array(vec![void(choices)]),
        _ => Node::Object(vec![("void".into(), void(choices))]),
    }
}

fn anything(choices: &mut Choices) -> Node {
    match choices.below(4) {
        0 => Node::Text("x".into()),
        1 => Node::Null,
        2 => Node::Array(vec![Node::Integer(7), Node::Bool(true)]),
        _ => Node::Object(vec![("seen".into(), Node::Integer(7))]),
    }
}

proptest! {
    #![proptest_config(cases(500, 100_000))]

    #[test]
    fn a_reformatted_message_is_the_same_message(
        message in messages(), one in any::<u64>(), other in any::<u64>(),
    ) {
        let signature = sign(&message);
        let mut strings = vec![reference_string(&message)];
        for seed in [one, other] {
            let json = spell(&message, &mut Choices(seed));
            prop_assert!(same(&read(&json).unwrap(), &message), "{json}");
            strings.push(canonical_of_json(&json));

            let signed = spell_signed(&message, &signature, &mut Choices(seed));
            prop_assert_eq!(&canonical_of_json(&signed), &strings[0]);
            prop_assert!(verifies(&signed), "{signed}");
        }
        prop_assert_eq!(&strings[0], &strings[1]);
        prop_assert_eq!(&strings[1], &strings[2]);
    }

    #[test]
    fn a_changed_scalar_is_refused_unless_its_line_stays_the_same(
        message in messages(), at in any::<Index>(), new in scalars(), seed in any::<u64>(),
    ) {
        let mut message = message;
        // One scalar at least.
        if let Node::Object(members) = &mut message {
            members.retain(|(key, _)| key != "amount");
            members.push(("amount".into(), Node::Integer(1000)));
        }
        let signature = sign(&message);
        let before = canonical_of_node(&message);
        let mut changed = message;
        let mut found = Vec::new();
        scalars_of(&mut changed, &mut found);
        let at = at.index(found.len());
        let same_line = signed_text(found[at]) == signed_text(&new);
        *found[at] = new;

        prop_assert_eq!(canonical_of_node(&changed) == before, same_line);
        let json = spell_signed(&changed, &signature, &mut Choices(seed));
        prop_assert_eq!(verifies(&json), same_line, "{}", json);
    }

    #[test]
    fn changes_that_the_signature_does_not_see_leave_the_string_alone(
        message in messages(), seed in any::<u64>(),
    ) {
        let changed = change_unseen(&message, &mut Choices(seed));
        prop_assert_eq!(canonical_of_node(&changed), canonical_of_node(&message), "{:?}", changed);
    }
}

// ------------------------------------------------------------------------------------------------
// The order of paths

/// A part of a path, as the reference model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Byte(u8),
    Digits(Vec<u8>),
}

/// Cuts a path into parts, one byte after the other; two paths then compare part by part, and one
/// that ends first is smaller.
///
/// - Zeros at the very beginning are dropped while a digit follows.
/// - White space is dropped before a part, but not between a run of digits and what follows it.
/// - White space up to the end counts as a zero byte.
fn parts(path: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut digits: Vec<u8> = Vec::new();
    let mut in_zeros = true;
    let mut in_space = false;
    for (index, &byte) in path.iter().enumerate() {
        let digit_follows = path.get(index + 1).is_some_and(u8::is_ascii_digit);
        if in_zeros && byte == b'0' && digit_follows {
            continue;
        }
        in_zeros = false;
        let is_space = byte == b' ' || (9..=13).contains(&byte);
        if byte.is_ascii_digit() {
            digits.push(byte);
            in_space = false;
        } else if !digits.is_empty() {
            parts.push(Part::Digits(std::mem::take(&mut digits)));
            parts.push(Part::Byte(byte));
        } else if is_space {
            in_space = true;
        } else {
            parts.push(Part::Byte(byte));
            in_space = false;
        }
    }
    if !digits.is_empty() {
        parts.push(Part::Digits(digits));
    } else if in_space {
        parts.push(Part::Byte(0));
    }
    parts
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Part::Byte(one), Part::Byte(other)) => one.cmp(other),
            (Part::Byte(byte), Part::Digits(digits)) => byte.cmp(&digits[0]),
            (Part::Digits(digits), Part::Byte(byte)) => digits[0].cmp(byte),
            (Part::Digits(one), Part::Digits(other)) => {
                let whole_numbers = one[0] != b'0' && other[0] != b'0';
                let longer = match whole_numbers {
                    true => one.len().cmp(&other.len()),
                    false => Ordering::Equal,
                };
                longer.then_with(|| one.cmp(other))
            }
        }
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Short paths over few characters, so that two of them often share a beginning.
fn paths() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => select(b"000112359".to_vec()),
        3 => select(b" \t\n\x0b\x0c\r ".to_vec()),
        4 => select(b":::abA_-./".to_vec()),
        1 => select(b"\x00\x01\x08\x0e\x1f!;\x7f\x85\xa0\xff".to_vec()),
    ];
    vec(byte, 0..9)
}

/// The same path, or nearly: some bytes left out, zeros and white space put in.
fn near(path: &[u8], choices: &mut Choices) -> Vec<u8> {
    let mut near = Vec::new();
    for &byte in path {
        if choices.one_in(6) {
            near.extend(choices.of(&[" ", "0", "00", "\t ", "1", "\0", ":"]).bytes());
        }
        if !choices.one_in(10) {
            near.push(byte);
        }
    }
    if choices.one_in(6) {
        near.extend(choices.of(&[" ", "  ", "0", "\0", " \0"]).bytes());
    }
    near
}

/// Three paths, strangers to each other or nearly the same.
fn three_paths() -> impl Strategy<Value = [Vec<u8>; 3]> {
    let strangers = [paths(), paths(), paths()];
    let relatives = (paths(), any::<u64>()).prop_map(|(path, seed)| {
        let mut choices = Choices(seed);
        let (one, other) = (near(&path, &mut choices), near(&path, &mut choices));
        [path, one, other]
    });
    prop_oneof![1 => strangers, 2 => relatives]
}

proptest! {
    #![proptest_config(cases(2_000, 1_000_000))]

    #[test]
    fn paths_compare_as_in_the_reference_model([one, other, _] in three_paths()) {
        prop_assert_eq!(
            compare(&one, &other),
            parts(&one).cmp(&parts(&other)),
            "{:?} {:?}", one.escape_ascii().to_string(), other.escape_ascii().to_string()
        );
    }

    #[test]
    fn paths_have_one_order(paths in three_paths()) {
        let shown = || paths.iter().map(|path| path.escape_ascii().to_string()).collect::<Vec<_>>();
        for one in &paths {
            prop_assert_eq!(compare(one, one), Ordering::Equal, "{:?}", shown());
            for other in &paths {
                let order = compare(one, other);
                prop_assert_eq!(compare(other, one), order.reverse(), "{:?}", shown());
                for third in &paths {
                    // Also what `Ordering::Equal` must be: an equivalence whose members compare alike.
                    if order == compare(other, third) || order == Ordering::Equal {
                        let expected = compare(other, third);
                        prop_assert_eq!(compare(one, third), expected, "{:?}", shown());
                    }
                }
            }
        }
    }
}

// ------------------------------------------------------------------------------------------------
// The reader beside serde_json

/// Texts that are JSON, nearly JSON, or pieces of it in any order.
fn json_texts() -> impl Strategy<Value = Vec<u8>> {
    let pieces = select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"b\":",
        "{\"a\":",
        "[]",
        "{}",
        " ",
        "\n",
        "\u{b}",
        "\u{a0}",
        "\u{feff}",
        "null",
        "true",
        "false",
        "nul",
        "-",
        "+",
        "0",
        "1",
        "00",
        "-0",
        ".5",
        "1.50",
        "1e3",
        "1E-7",
        "1e400",
        "123456789012345678901234567890",
        "\\",
        "\\u",
        "\\u0061",
        "\\ud83d",
        "\\ude00",
        "\\uD83D\\uDE00",
        "\\/",
        "\\x",
        "\\u00",
        "\u{0}",
        "\t",
        "\u{1f600}",
        "\u{7f}",
        "'",
        "//",
        "NaN",
    ]);
    let soup = vec(pieces, 0..10).prop_map(|pieces| pieces.concat().into_bytes());
    let in_quotes = select(vec![
        "a",
        "/",
        "\\",
        "\"",
        "\n",
        "\u{1f600}",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b",
        "\\f",
        "\\n",
        "\\r",
        "\\t",
        "\\v",
        "\\u",
        "\\u00e9",
        "\\u00E9",
        "\\u0000",
        "\\uD7FF",
        "\\ud800",
        "\\udbFf",
        "\\uDC00",
        "\\udfff",
        "\\uE000",
        "\\u+123",
        "\\u12",
        "\\U0041",
    ]);
    let string = vec(in_quotes, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()));
    let number = vec(
        select(vec!["-", "+", ".", "e", "E", "0", "1", "9", "00"]),
        1..7,
    );
    let scalar = prop_oneof![string, number.prop_map(|pieces| pieces.concat())];
    let scalar = scalar.prop_map(String::into_bytes);
    let valid = (nodes(), any::<u64>()).prop_map(|(node, seed)| spell(&node, &mut Choices(seed)));
    let broken = (valid, vec((any::<Index>(), 0..4_u8, any::<u8>()), 0..3));
    let broken = broken.prop_map(|(json, changes)| {
        let mut json = json.into_bytes();
        for (at, change, byte) in changes {
            let at = at.index(json.len() + 1);
            match change {
                0 => json.insert(at, byte),
                1 if at < json.len() => drop(json.remove(at)),
                2 if at < json.len() => json[at] = byte,
                _ => json.truncate(at),
            }
        }
        json
    });
    prop_oneof![2 => soup, 2 => scalar, 3 => broken, 1 => vec(any::<u8>(), 0..40)]
}

/// Whether both readers made the same of a text.
fn agree(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (ours, theirs) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(ours), Json::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), Json::Number(theirs)) => {
            serde_json::from_str::<serde_json::Number>(ours).is_ok_and(|ours| ours == *theirs)
        }
        (Value::String(ours), Json::String(theirs)) => ours == theirs,
        (Value::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(o, t)| agree(o, t))
        }
        (Value::Object(ours), Json::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .all(|(key, o)| theirs.get(key.as_ref()).is_some_and(|t| agree(o, t)))
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(cases(2_000, 1_000_000))]

    #[test]
    fn the_reader_takes_what_serde_json_takes(text in json_texts()) {
        let shown = text.escape_ascii().to_string();
        let ours = parse(&text, Limits::CALLBACK);
        match (&ours, serde_json::from_slice::<serde_json::Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert!(agree(ours, &theirs), "{shown}"),
            // JSON knows no largest number, only serde_json's floats do.
            (Ok(_), Err(error)) => prop_assert!(
                error.to_string().starts_with("number out of range"),
                "{} {}", error, shown
            ),
            (Err(JsonError::NotJson(_) | JsonError::NotUtf8), Ok(_)) => {
                prop_assert!(false, "refused {shown}");
            }
            // Our limits, and keys that serde_json takes twice.
            (Err(_), _) => {}
        }
    }
}

// ------------------------------------------------------------------------------------------------
// What we send

/// Text as a field takes it, often such as looks like lines of a message.
fn field_texts(least: usize, most: usize) -> impl Strategy<Value = String> {
    let line = select(vec![
        "general:project_id:1",
        "payment:amount:100",
        ":",
        "a:b",
        "10",
        "1",
        "0",
        "EUR",
        "null",
    ]);
    let character = any::<char>().prop_map(|c| match c {
        ';' => '_',
        c if c.is_control() => '_',
        c => c,
    });
    let free = vec(character, 1..8).prop_map(|text| text.into_iter().collect::<String>());
    let pieces = vec(
        prop_oneof![2 => line.prop_map(String::from), 1 => free],
        1..4,
    );
    pieces.prop_map(move |pieces| {
        let text: String = pieces.concat().chars().take(most).collect();
        format!("{text:_<least$}")
    })
}

fn field() -> impl Strategy<Value = Text> {
    prop_oneof![
        8 => field_texts(1, 255).prop_map(|text| Text::new(text).unwrap()),
        1 => Just(Text::new("x".repeat(255)).unwrap()),
    ]
}

fn last_names() -> impl Strategy<Value = LastName> {
    field_texts(3, 100).prop_map(|name| LastName::new(name).unwrap())
}

fn sales() -> impl Strategy<Value = Sale> {
    (
        prop_oneof![1..=20_u64, 1..=u64::from(u32::MAX)],
        field(),
        prop_oneof![100..=120_u64, 100..=MinorUnits::MAX],
        option::of(field()),
        (field(), field(), option::of(last_names())),
        field(),
    )
        .prop_map(
            |(project, payment_id, amount, description, customer, back)| Sale {
                general: General::new(ProjectId::new(project).unwrap(), payment_id),
                payment: SalePayment {
                    amount: MinorUnits::for_sale(amount).unwrap(),
                    currency: Currency::Eur,
                    description,
                },
                customer: Customer {
                    id: customer.0,
                    ip_address: customer.1,
                    last_name: customer.2,
                },
                return_url: ReturnUrl { back },
            },
        )
}

/// A pair of which the second has most fields of the first.
fn two_sales() -> impl Strategy<Value = (Sale, Sale)> {
    (sales(), sales(), any::<u8>()).prop_map(|(one, mut other, kept)| {
        let keep = |bit: u8| kept & (1 << bit) != 0;
        if keep(0) {
            other.general = one.general.clone();
        }
        if keep(1) {
            other.payment.amount = one.payment.amount;
        }
        if keep(2) {
            other.payment.description = one.payment.description.clone();
        }
        if keep(3) {
            other.customer.id = one.customer.id.clone();
        }
        if keep(4) {
            other.customer.ip_address = one.customer.ip_address.clone();
        }
        if keep(5) {
            other.customer.last_name = one.customer.last_name.clone();
        }
        if keep(6) {
            other.return_url = one.return_url.clone();
        }
        (one, other)
    })
}

proptest! {
    #![proptest_config(cases(500, 100_000))]

    #[test]
    fn two_sales_share_a_string_only_if_they_are_one((one, other) in two_sales()) {
        let strings = (canonical_of(&one).unwrap(), canonical_of(&other).unwrap());
        prop_assert_eq!(strings.0 == strings.1, one == other);

        let body = String::from_utf8(one.clone().sign(&key()).unwrap()).unwrap();
        prop_assert!(verifies(&body), "{body}");
        prop_assert_eq!(canonical_of_json(&body).into_bytes(), strings.0);
    }
}
