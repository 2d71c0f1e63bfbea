//! Escapes foreign text, such as the id of an external payment. Otherwise terminals, spreadsheets and logs would
//! treat some of its characters as commands (`shared/decisions/state/0035-text-of-others.md`).

/// Characters that show nothing, although Unicode lists them among the letters and symbols. These are the fillers of
/// Hangul, the empty Braille pattern and the empty note head.
const BLANK: [char; 6] = [
    '\u{115f}',
    '\u{1160}',
    '\u{2800}',
    '\u{3164}',
    '\u{ffa0}',
    '\u{1d159}',
];

/// Whether a character is visible, or is the usual space. Control characters, combining marks, unassigned code points
/// and all other spaces are not visible.
pub fn is_visible(character: char) -> bool {
    match character.is_ascii() {
        true => matches!(character, ' '..='~'),
        // `escape_debug` escapes every character that has no glyph of its own.
        false => character.escape_debug().len() == 1 && !BLANK.contains(&character),
    }
}

/// Escapes text for one line on a terminal. A backslash is escaped too, so different texts have different results.
pub fn for_terminal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match is_visible(character) && character != '\\' {
            true => escaped.push(character),
            false => escaped.extend(character.escape_default()),
        }
    }
    escaped
}

/// Escapes text of several lines for a terminal. Callers escape each value in the text with [`for_terminal`] first.
/// This function protects the terminal if a caller forgets to escape a value. Line feeds and backslashes stay.
pub fn lines_for_terminal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match is_visible(character) || character == '\n' {
            true => escaped.push(character),
            false => escaped.extend(character.escape_default()),
        }
    }
    escaped
}

/// Escapes text for a cell of a spreadsheet, as [`for_terminal`] does. Also puts an apostrophe before each character
/// that could start [a formula](https://owasp.org/www-community/attacks/CSV_Injection).
///
/// Some spreadsheets separate cells by `;` or `|` instead of the comma, and ignore the quotes around the text.
/// Therefore a formula can start the text, or follow `,`, `;` or `|`.
pub fn for_spreadsheet(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut starts_cell = true;
    for character in for_terminal(text).chars() {
        match character {
            '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}'
                if starts_cell =>
            {
                escaped.push('\'');
                starts_cell = false;
            }
            ',' | ';' | '|' => starts_cell = true,
            // Some spreadsheets ignore spaces and quotes before a formula.
            ' ' | '"' => {}
            _ => starts_cell = false,
        }
        escaped.push(character);
    }
    escaped
}

/// Replaces characters of a JSON text by their JSON escapes. The values stay the same if all replaced characters are
/// inside strings. So `is_escaped` must be false for visible ASCII characters, and `json` must be compact: without
/// white space between tokens.
fn in_json(json: String, is_escaped: impl Fn(char) -> bool) -> String {
    if !json.contains(&is_escaped) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        match is_escaped(character) {
            false => escaped.push(character),
            true => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    escaped
}

/// Escapes each invisible character of a compact JSON text, as `serde_json::to_string` writes it. The values stay the
/// same, and the result is one line for a terminal.
pub fn json_for_terminal(json: String) -> String {
    in_json(json, |character| !is_visible(character))
}

/// Escapes two characters that SQS refuses. JSON itself escapes the other characters that SQS refuses.
///
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub fn json_for_sqs(json: String) -> String {
    in_json(json, |character| {
        matches!(character, '\u{fffe}' | '\u{ffff}')
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Some characters of which escapes consist, and some characters that must be escaped.
    const ESCAPES: [char; 14] = [
        '\\',
        'u',
        'n',
        '{',
        '}',
        '1',
        'b',
        '\n',
        '\r',
        '\u{1b}',
        '\u{9b}',
        '\u{202e}',
        '\u{200b}',
        '\u{10ffff}',
    ];

    #[test]
    fn different_characters_have_different_escaped_forms() {
        let mut shown = HashMap::new();
        for character in '\0'..=char::MAX {
            let escaped = for_terminal(&String::from(character));
            assert!(escaped.chars().all(is_visible), "{character:?}");
            assert_eq!(shown.insert(escaped, character), None);
        }
    }

    proptest! {
        #[test]
        fn two_texts_look_the_same_only_if_they_are_equal(
            texts in proptest::array::uniform2(proptest::collection::vec(select(&ESCAPES[..]), 0..6)),
        ) {
            let [one, other] = texts.map(String::from_iter);
            prop_assert_eq!(for_terminal(&one) == for_terminal(&other), one == other);
        }

        #[test]
        fn an_escaped_text_has_no_further_lines_and_escaped_json_keeps_its_value(text in any::<String>()) {
            for escaped in [for_terminal(&text), for_spreadsheet(&text)] {
                prop_assert!(escaped.chars().all(is_visible), "{}", escaped);
            }
            let lines = lines_for_terminal(&text);
            prop_assert_eq!(lines.matches('\n').count(), text.matches('\n').count());
            let json = serde_json::to_string(&text).unwrap();
            let escaped = json_for_terminal(json.clone());
            prop_assert!(escaped.chars().all(is_visible), "{}", escaped);
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
    }

    #[test]
    fn visible_text_in_any_script_stays_and_invisible_characters_are_escaped() {
        for text in [
            "order-1 \u{e9}\u{df}",
            "\u{5d0}\u{4e2d}\u{20ac}\u{1f600}",
            "a'b\"c",
        ] {
            assert_eq!(for_terminal(text), text);
        }
        assert_eq!(for_terminal("a\u{1b}[31m\nb"), r"a\u{1b}[31m\nb");
        for (text, escaped) in [
            ("\u{9b}31m", r"\u{9b}31m"),
            ("\u{202e}txt.exe", r"\u{202e}txt.exe"),
            ("a\u{200b}b\u{feff}", r"a\u{200b}b\u{feff}"),
            (
                "\u{2066}\u{2028}\u{85}\u{7f}",
                r"\u{2066}\u{2028}\u{85}\u{7f}",
            ),
            ("\u{e0041}\u{ffff}\u{3164}", r"\u{e0041}\u{ffff}\u{3164}"),
            ("a\u{a0}b\u{301}", r"a\u{a0}b\u{301}"),
            (r"\u{1b}", r"\\u{1b}"),
        ] {
            assert_eq!(for_terminal(text), escaped);
        }
    }

    #[test]
    fn an_apostrophe_is_put_before_a_formula_at_the_start_of_each_possible_cell() {
        for (text, cell) in [
            ("=1+2", "'=1+2"),
            ("order=1-2", "order=1-2"),
            (" \"@x", " \"'@x"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("a;=1", "a;'=1"),
            ("a,\" -1", "a,\" '-1"),
            ("\t=1", r"\t=1"),
            ("a;b=c", "a;b=c"),
        ] {
            assert_eq!(for_spreadsheet(text), cell);
        }
    }

    #[test]
    fn an_escaped_json_text_has_the_same_value() {
        let json = "{\"a\":\"\u{ffff}\u{9b}\u{e0041}\\\\\u{202e}\"}".to_owned();
        let escaped = json_for_terminal(json.clone());
        assert_eq!(escaped, r#"{"a":"\uffff\u009b\udb40\udc41\\\u202e"}"#);
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(value(&escaped), value(&json));
    }
}
