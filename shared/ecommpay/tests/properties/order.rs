//! The order of paths beside a slow model of it.

use std::cmp::Ordering;

use ecommpay::path_order::compare;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::cases;
use super::message::*;

/// A part of a path, as the reference model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Byte(u8),
    Digits(Vec<u8>),
}

/// Cuts a path into parts, one byte after the other; two paths then compare part by part, and one
/// that ends first is smaller.
///
/// - Zeros at the very beginning are dropped while a digit follows.
/// - White space is dropped before a part, but not between a run of digits and what follows it.
/// - White space up to the end counts as a zero byte.
pub fn parts(path: &[u8]) -> Vec<Part> {
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
pub fn paths() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => select(b"000112359".to_vec()),
        3 => select(b" \t\n\x0b\x0c\r ".to_vec()),
        4 => select(b":::abA_-./".to_vec()),
        1 => select(b"\x00\x01\x08\x0e\x1f!;\x7f\x85\xa0\xff".to_vec()),
    ];
    vec(byte, 0..9)
}

/// The same path, or nearly: some bytes left out, zeros and white space put in.
pub fn near(path: &[u8], choices: &mut Choices) -> Vec<u8> {
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
pub fn three_paths() -> impl Strategy<Value = [Vec<u8>; 3]> {
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
