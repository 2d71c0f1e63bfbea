//! Tests the order in which field paths are signed: it is a total order, and the reference model has the same
//! order.

use std::cmp::Ordering;

use ecommpay::signature::path_order::compare;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::cases;
use super::message::*;
use super::model::parts;

/// Short paths over a small alphabet, so that two paths often have the same start.
fn paths() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => select(b"000112359".to_vec()),
        3 => select(b" \t\n\x0b\x0c\r ".to_vec()),
        4 => select(b":::abA_-./".to_vec()),
        1 => select(b"\x00\x01\x08\x0e\x1f!;\x7f\x85\xa0\xff".to_vec()),
    ];
    vec(byte, 0..9)
}

/// Returns a copy of a path with random small changes: bytes removed, zeros and white space inserted.
fn similar(path: &[u8], choices: &mut Choices) -> Vec<u8> {
    let mut similar = Vec::new();
    for &byte in path {
        if choices.one_in(6) {
            similar.extend(choices.of(&[" ", "0", "00", "\t ", "1", "\0", ":"]).bytes());
        }
        if !choices.one_in(10) {
            similar.push(byte);
        }
    }
    if choices.one_in(6) {
        similar.extend(choices.of(&[" ", "  ", "0", "\0", " \0"]).bytes());
    }
    similar
}

/// Three paths, independent of each other or similar.
fn three_paths() -> impl Strategy<Value = [Vec<u8>; 3]> {
    let independent = [paths(), paths(), paths()];
    let alike = (paths(), any::<u64>()).prop_map(|(path, seed)| {
        let mut choices = Choices(seed);
        let (one, other) = (similar(&path, &mut choices), similar(&path, &mut choices));
        [path, one, other]
    });
    prop_oneof![1 => independent, 2 => alike]
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
    fn the_order_of_paths_is_total_and_equal_paths_compare_alike(paths in three_paths()) {
        let shown = || paths.iter().map(|path| path.escape_ascii().to_string()).collect::<Vec<_>>();
        for one in &paths {
            prop_assert_eq!(compare(one, one), Ordering::Equal, "{:?}", shown());
            for other in &paths {
                let order = compare(one, other);
                prop_assert_eq!(compare(other, one), order.reverse(), "{:?}", shown());
                for third in &paths {
                    // The order is transitive. If two paths compare as equal, a comparison with a third path has the
                    // same result for both.
                    if order == compare(other, third) || order == Ordering::Equal {
                        let expected = compare(other, third);
                        prop_assert_eq!(compare(one, third), expected, "{:?}", shown());
                    }
                }
            }
        }
    }
}
