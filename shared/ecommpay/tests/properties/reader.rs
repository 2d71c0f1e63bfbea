//! Tests that the reader agrees with serde_json. [`judge`] has the exceptions.

use ecommpay::json::{Limits, parse};
use ecommpay::signature::canonical;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::cases;
use super::message::*;
use super::model::{self, judge};

/// Random sequences of tokens, single strings and numbers of which some are invalid, messages with at most two changes,
/// and random bytes.
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
    let tokens = vec(pieces, 0..10).prop_map(|pieces| pieces.concat().into_bytes());
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
    prop_oneof![2 => tokens, 2 => scalar, 3 => broken, 1 => vec(any::<u8>(), 0..40)]
}

/// Arrays with about as many levels as the limit allows, sometimes without the last bracket. Objects with about as many
/// keys as the limit allows, sometimes with one key twice.
fn at_the_limits() -> impl Strategy<Value = Vec<u8>> {
    let deep = (30..35_usize, 0..2_usize)
        .prop_map(|(levels, missing)| "[".repeat(levels) + &"]".repeat(levels - missing));
    let wide = (1_998..2_003_usize, any::<bool>()).prop_map(|(keys, twice)| {
        let key = |index: usize| if twice && index == 7 { 3 } else { index };
        let members: Vec<String> = (0..keys)
            .map(|index| format!("\"{}\":0", key(index)))
            .collect();
        format!("{{{}}}", members.join(","))
    });
    prop_oneof![30 => deep, 1 => wide].prop_map(String::into_bytes)
}

proptest! {
    #![proptest_config(cases(2_000, 1_000_000))]

    #[test]
    fn the_reader_accepts_the_texts_that_serde_json_accepts(text in json_texts()) {
        let ours = parse(&text, Limits::CALLBACK);
        prop_assert_eq!(judge(&text, &ours), Ok(()), "{}", text.escape_ascii());
        if let Ok(message) = ours {
            let expected = model::canonical(&message).into_bytes();
            prop_assert_eq!(canonical(&message), expected, "{}", text.escape_ascii());
        }
    }
}

proptest! {
    #![proptest_config(cases(500, 20_000))]

    #[test]
    fn a_text_near_the_limits_is_refused_only_for_a_true_reason(text in at_the_limits()) {
        let judged = judge(&text, &parse(&text, Limits::CALLBACK));
        prop_assert_eq!(judged, Ok(()), "{}", text.escape_ascii());
    }
}
