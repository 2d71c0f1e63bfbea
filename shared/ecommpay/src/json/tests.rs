//! Tests the reader on single texts. Properties on random texts are in `tests/properties/reader.rs`.

use super::{JsonError, Limits, Value, parse};

fn read(text: &str) -> Result<Value<'_>, JsonError> {
    parse(text.as_bytes(), Limits::CALLBACK)
}

#[test]
fn a_number_is_returned_as_it_is_written() {
    for text in ["0", "-0", "10.0", "1e3", "12345678901234567890123"] {
        assert_eq!(read(text), Ok(Value::Number(text)));
    }
    for text in ["01", "+1", ".5", "1.", "1e", "-", "NaN"] {
        assert!(matches!(read(text), Err(JsonError::NotJson(_))), "{text}");
    }
}

#[test]
fn the_escapes_of_a_string_are_decoded_once() {
    let value = read(r#""a\/b\u00e9\ud83d\ude00\\n""#).unwrap();
    assert_eq!(value.as_str(), Some("a/b\u{e9}\u{1f600}\\n"));
    for text in [
        r#""\ud83d""#,
        r#""\ude00""#,
        r#""\u12g4""#,
        "\"\n\"",
        "\"",
        r#""\x""#,
    ] {
        assert!(matches!(read(text), Err(JsonError::NotJson(_))), "{text}");
    }
}

#[test]
fn each_limit_and_each_malformed_text_has_its_own_error() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(read(&deep(32)).is_ok());
    assert_eq!(read(&deep(33)), Err(JsonError::TooDeep));

    let wide = |keys: usize| {
        let members: Vec<String> = (0..keys).map(|key| format!("\"{key}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(read(&wide(2_000)).is_ok());
    assert_eq!(read(&wide(2_001)), Err(JsonError::TooManyKeys));
    // The elements of an array count like the members of an object, even if they are empty or nested.
    for element in ["1", "{}", "[]"] {
        let list = |count: usize| format!("[{}]", vec![element; count].join(","));
        assert!(read(&list(2_000)).is_ok(), "{element}");
        assert_eq!(read(&list(2_001)), Err(JsonError::TooManyKeys), "{element}");
    }
    let nested = |count: usize| format!("[{}]", vec!["[1]"; count].join(","));
    assert!(read(&nested(1_000)).is_ok());
    assert_eq!(read(&nested(1_001)), Err(JsonError::TooManyKeys));

    let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert!(read(&long(256 * 1024)).is_ok());
    assert_eq!(read(&long(256 * 1024 + 1)), Err(JsonError::TooLarge));

    assert_eq!(
        parse(b"\"\xe9\"", Limits::CALLBACK),
        Err(JsonError::NotUtf8)
    );
    assert_eq!(read(r#"{"a":1,"\u0061":2}"#), Err(JsonError::DuplicateKey));
    assert_eq!(
        read(&wide(40).replace("\"39\"", "\"3\"")),
        Err(JsonError::DuplicateKey)
    );
    for text in ["", "{\"a\":1,}", "[1,]", "{a:1}", "tru", "{\"a\" 1}"] {
        assert!(matches!(read(text), Err(JsonError::NotJson(_))), "{text}");
    }
    assert_eq!(read("{} x"), Err(JsonError::TrailingData(3)));
    assert_eq!(read("1{}"), Err(JsonError::TrailingData(1)));
    assert!(read(" [1] \n").is_ok());
}

#[test]
fn a_message_is_refused_when_its_canonical_string_would_exceed_the_limit() {
    let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
    let under = |key: &str, value: &str| format!("{{\"{key}\":{value}}}");
    let long = "k".repeat(131_000);
    assert!(read(&under("k", &zeros(600))).is_ok());
    assert!(read(&under(&long, &zeros(2))).is_ok());
    for attack in [
        under(&long, &zeros(8)),
        // The canonical string can have 4 times the size of the text, or 4 KiB if the text is short.
        under(&"k".repeat(8_000), &zeros(1_900)),
        under(&"k".repeat(700), &zeros(12)),
        under(&":".repeat(70_000), &zeros(150)),
        // Empty lists add nothing to the canonical string, but they also count towards the limit.
        under(&long, &format!("[{}[]]", "[],".repeat(1_900))),
    ] {
        assert!(attack.len() <= Limits::CALLBACK.bytes);
        let read = read(&attack).map(|_| ());
        assert_eq!(read, Err(JsonError::CanonicalTooLarge));
    }
}

#[test]
fn a_line_counts_as_its_path_its_value_and_two_separators() {
    let read = |text: &str, canonical: usize| {
        let limits = Limits {
            canonical,
            ..Limits::CALLBACK
        };
        parse(text.as_bytes(), limits).map(|_| ())
    };
    let ten = "0,".repeat(10);
    for (text, counted) in [
        ("\"abc\"", 5),
        ("-12", 5),
        ("null", 3),
        (r#"{"a":"bc"}"#, 5 + 3),
        (r#"{"a:":7}"#, 6 + 3),
        (r#"{"a":{"b":1},"c":2}"#, 6 + 4 + 4 + 3),
        // The paths are `a:0` to `a:9` and `a:10`.
        (&format!("{{\"a\":[{ten}0]}}"), 60 + 7 + 4 + 3),
    ] {
        assert_eq!(read(text, counted), Ok(()), "{text}");
        let less = read(text, counted - 1);
        assert_eq!(less, Err(JsonError::CanonicalTooLarge), "{text}");
    }
}

#[test]
fn the_limit_of_the_canonical_string_is_4_times_the_text_and_at_least_4_kib() {
    let callback = |bytes: usize| Limits::CALLBACK.canonical_of(bytes);
    assert_eq!(callback(0), 4_096);
    assert_eq!(callback(1_024), 4_096);
    assert_eq!(callback(1_025), 4_100);
    assert_eq!(callback(256 * 1024), 1024 * 1024);
    assert_eq!(
        Limits::ANSWER.canonical_of(4 * 1024 * 1024),
        16 * 1024 * 1024
    );

    // The string counts 11,056 bytes: 3 for the object, 1,003 for the array, and 1,005 for each of 10 elements. This is
    // 4 times 2,764.
    let text = format!("{{\"{}\":[{}0]}}", "k".repeat(1_000), "0,".repeat(9));
    let padded = |bytes: usize| text.clone() + &" ".repeat(bytes - text.len());
    assert!(read(&padded(2_764)).is_ok());
    assert_eq!(read(&padded(2_763)), Err(JsonError::CanonicalTooLarge));
}

#[test]
fn an_answer_with_two_thousand_operations_needs_less_than_half_of_each_limit() {
    let operation = r#"{"id":37493000003354,"type":"payment confirmation","status":"decline","date":"2019-07-09T09:28:35+0000","created_date":"2019-07-02T09:28:31+0000","request_id":"7e08d48c4f5da3692b65e5426f44ed36896e569c","sum_initial":{"amount":1000,"currency":"EUR"},"sum_converted":{"amount":1000,"currency":"EUR"},"provider":{"id":1241,"payment_id":"","auth_code":""},"code":"20812","message":"The service provider did not confirm the account crediting"}"#;
    let text = format!(r#"{{"operations":[{}]}}"#, vec![operation; 2_000].join(","));
    let half = Limits {
        bytes: Limits::ANSWER.bytes / 2,
        depth: Limits::ANSWER.depth / 2,
        keys: Limits::ANSWER.keys / 2,
        canonical: text.len() * 2,
    };
    assert!(half.canonical < Limits::ANSWER.canonical / 2);
    assert!(parse(text.as_bytes(), half).is_ok());
}
