//! Defines the natural order of paths, by which the lines of a canonical string are sorted.
//!
//! The platform sorts like PHP's `strnatcmp`: runs of digits compare as numbers, so the element 10 of a
//! list follows the element 2. Only the path is compared, never the value.

use std::cmp::Ordering;

/// Compares two paths as PHP's `strnatcmp` does.
///
/// - Zeros at the start of the path are skipped if a digit follows.
/// - White space is skipped, but one character of white space directly after a run of digits is compared.
/// - Two runs of digits compare by length, then digit by digit. If one of the runs starts with `0`, the two
///   runs compare only digit by digit.
/// - The path that ends first is smaller.
///
/// Source: Signature; PHP's `strnatcmp`.
pub fn compare(left: &[u8], right: &[u8]) -> Ordering {
    if left.is_empty() || right.is_empty() {
        return left.len().cmp(&right.len());
    }
    let common = common_length(left, right);
    let decided = |text: &[u8]| text.get(common).is_some_and(|byte| is_plain(*byte));
    let settled = plain_length(left, common);
    if settled == common && decided(left) && decided(right) {
        return left.get(common).cmp(&right.get(common));
    }
    if settled == 0 {
        return compare_rest(skip_leading_zeros(left), skip_leading_zeros(right));
    }
    let rest = |text| <[u8]>::get(text, settled..).unwrap_or(&[]);
    compare_end(rest(left), rest(right)).unwrap_or_else(|| compare_rest(rest(left), rest(right)))
}

/// Returns whether a name is plain: it is not empty and has no digits, white space or colons. Plain names compare byte
/// by byte, also with the colon that follows each name in a path.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| is_plain(byte) && byte != b':')
}

/// Returns the number of bytes that two paths share at their start. Compares 8 bytes at a time, because the paths in
/// one object share many bytes.
fn common_length(left: &[u8], right: &[u8]) -> usize {
    const WORD: usize = 8;
    let words = left.chunks_exact(WORD).zip(right.chunks_exact(WORD));
    let words = words.take_while(|(a, b)| a == b).count() * WORD;
    let rest = |text| <[u8]>::get(text, words..).unwrap_or(&[]);
    let bytes = rest(left).iter().zip(rest(right));
    words + bytes.take_while(|(a, b)| a == b).count()
}

/// Returns the length of the part of the shared start that need not be compared again. This part ends after the last
/// plain byte, because a run of digits or white space after that byte may continue differently in each path.
fn plain_length(path: &[u8], common: usize) -> usize {
    let same = path.get(..common).unwrap_or(path);
    same.iter()
        .rposition(|byte| is_plain(*byte))
        .map_or(0, |last| last + 1)
}

/// Returns whether a byte is neither a digit nor white space. Such bytes compare by their values.
fn is_plain(byte: u8) -> bool {
    !byte.is_ascii_digit() && !is_space(byte)
}

/// Compares two paths if at least one of them has ended: a path that has ended is smaller than a path that has not.
/// Returns `None` if neither path has ended.
fn compare_end(left: &[u8], right: &[u8]) -> Option<Ordering> {
    (left.is_empty() || right.is_empty()).then(|| left.is_empty().cmp(&right.is_empty()).reverse())
}

fn compare_rest(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        left = skip_space(left);
        right = skip_space(right);
        if starts_with_digit(left) && starts_with_digit(right) {
            let (left_run, left_rest) = split_digits(left);
            let (right_run, right_rest) = split_digits(right);
            let order = compare_runs(left_run, right_run);
            if order != Ordering::Equal {
                return order;
            }
            left = left_rest;
            right = right_rest;
            if let Some(order) = compare_end(left, right) {
                return order;
            }
        }
        // If a path had only white space left, the next byte of the path counts as zero, as in C.
        let order = first(left).cmp(&first(right));
        if order != Ordering::Equal {
            return order;
        }
        left = rest(left);
        right = rest(right);
        if let Some(order) = compare_end(left, right) {
            return order;
        }
    }
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

fn compare_runs(left: &[u8], right: &[u8]) -> Ordering {
    if first(left) == b'0' || first(right) == b'0' {
        left.cmp(right)
    } else {
        left.len().cmp(&right.len()).then_with(|| left.cmp(right))
    }
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
