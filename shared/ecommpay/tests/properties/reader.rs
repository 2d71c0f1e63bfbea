//! The reader beside serde_json.

use ecommpay::json::{JsonError, Limits, Value, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::cases;
use super::message::*;

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
            (Err(JsonError::NotJson(_) | JsonError::NotUtf8 | JsonError::TrailingData(_)), Ok(_)) => {
                prop_assert!(false, "refused {shown}");
            }
            // Our limits, and keys that serde_json takes twice.
            (Err(_), _) => {}
        }
    }
}
