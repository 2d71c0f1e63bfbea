//! Defines the natural order of paths, by which the lines of a canonical string are sorted.
//!
//! The platform sorts like PHP's `strnatcmp`: runs of digits compare as numbers, so the element 10 of a
//! list follows the element 2. Only the path is compared, never the value.
//!
//! Source ([list](crate::sources)): Signature.

use std::cmp::Ordering;

/// Compares two paths as PHP's `strnatcmp` does.
///
/// - Zeros at the start of the path are skipped if a digit follows.
/// - White space is skipped, but one character of white space directly after a run of digits is compared.
/// - Two runs of digits compare by length, then digit by digit. If one of the runs starts with `0`, the two
///   runs compare only digit by digit.
/// - The path that ends first is smaller.
pub fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let key = |path: &[u8]| {
        let mut key = Vec::with_capacity(path.len());
        push_key(path, &mut key);
        key
    };
    key(left).cmp(&key(right))
}

/// Adds the key of a path to `keys`. A comparison of two keys byte by byte has the same result as [`compare`] with
/// their paths.
///
/// - A run of digits that starts with `0` is followed by a zero byte, so that a shorter run is smaller.
/// - The length of any other run of digits is written before the run. The length is one digit, or `9` and 4 bytes if
///   the run has at least 9 digits. So a forged path of many short runs still has a short key.
pub(super) fn push_key(path: &[u8], keys: &mut Vec<u8>) {
    let mut rest = skip_leading_zeros(path);
    while let Some((&byte, after)) = rest.split_first() {
        if byte.is_ascii_digit() {
            let (run, after_run) = split_digits(rest);
            if byte == b'0' {
                keys.extend_from_slice(run);
                keys.push(0);
            } else {
                let length = u32::try_from(run.len()).unwrap_or(u32::MAX);
                match u8::try_from(length) {
                    Ok(short @ ..9) => keys.push(b'0' + short),
                    _ => {
                        keys.push(b'9');
                        keys.extend_from_slice(&length.to_be_bytes());
                    }
                }
                keys.extend_from_slice(run);
            }
            // The byte after a run of digits is compared, even if it is white space.
            let (next, after_next) = after_run.split_at(after_run.len().min(1));
            keys.extend_from_slice(next);
            rest = after_next;
        } else if is_space(byte) {
            rest = skip_space(rest);
            if rest.is_empty() {
                // White space at the end of a path counts as a zero byte, as in C.
                keys.push(0);
            }
        } else {
            keys.push(byte);
            rest = after;
        }
    }
}

/// Returns whether a name is plain: it is not empty and has no digits, white space or colons. Paths of plain names
/// compare byte by byte.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| is_plain(byte) && byte != b':')
}

/// Returns whether a byte is neither a digit nor white space. Such bytes compare by their values.
fn is_plain(byte: u8) -> bool {
    !byte.is_ascii_digit() && !is_space(byte)
}

fn first(text: &[u8]) -> u8 {
    text.first().copied().unwrap_or(0)
}

fn rest(text: &[u8]) -> &[u8] {
    text.get(1..).unwrap_or(&[])
}

fn starts_with_digit(text: &[u8]) -> bool {
    first(text).is_ascii_digit()
}

fn skip_leading_zeros(mut text: &[u8]) -> &[u8] {
    while first(text) == b'0' && starts_with_digit(rest(text)) {
        text = rest(text);
    }
    text
}

/// C's `isspace`: space, tab, newline, vertical tab, form feed, carriage return.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d)
}

fn skip_space(mut text: &[u8]) -> &[u8] {
    while is_space(first(text)) {
        text = rest(text);
    }
    text
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_compare_as_in_strnatcmp() {
        let ascending = [
            ("a", "b"),
            ("A", "a"),
            ("a", "a1"),
            ("a2", "a10"),
            ("99999999", "100000000"),
            ("999999999", "1000000000"),
            ("/", "1"),
            ("999999999", ":"),
            ("a:2:x", "a:10:x"),
            ("k001", "k01"),
            ("k01", "k1"),
            ("k1", "k10"),
            ("a-b", "a:x"),
            ("sum2", "sum:amount"),
            ("sum:currency", "sum_initial:amount"),
            ("a1:x", "a:x"),
            ("a", "a "),
            ("a ", "ab"),
            ("", " "),
            ("1", "1\u{0}"),
            ("19", "155"),
            (" b", "c1"),
        ];
        for (smaller, greater) in ascending {
            assert_eq!(
                compare(smaller.as_bytes(), greater.as_bytes()),
                Ordering::Less,
                "{smaller} < {greater}"
            );
            assert_eq!(
                compare(greater.as_bytes(), smaller.as_bytes()),
                Ordering::Greater,
                "{greater} > {smaller}"
            );
        }
        for (left, right) in [("a b", "ab"), ("007", "7"), ("", "")] {
            assert_eq!(compare(left.as_bytes(), right.as_bytes()), Ordering::Equal);
        }
    }

    #[test]
    fn plain_names_compare_byte_by_byte() {
        let names = ["\u{0}", "-", "A", "_", "a", "a-b", "a_b", "ab", "\u{e9}"];
        assert!(names.iter().all(|name| is_plain_name(name)));
        let below = names.iter().map(|name| format!("{name}:x"));
        let paths: Vec<String> = names.map(String::from).into_iter().chain(below).collect();
        for left in paths.iter().map(String::as_bytes) {
            for right in paths.iter().map(String::as_bytes) {
                assert_eq!(compare(left, right), left.cmp(right), "{left:?} {right:?}");
            }
        }
        for other in ["", "a1", "0", "a b", "a\u{b}b", "a:b", ":"] {
            assert!(!is_plain_name(other), "{other}");
        }
    }
}
