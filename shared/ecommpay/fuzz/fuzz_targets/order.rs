//! Two paths, one a line (the second may hold more line ends): the order of one and the other is
//! the reverse of the order of the other and the one.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run order` (in `shared/ecommpay`)
#![no_main]

use std::cmp::Ordering;

use ecommpay::path_order::compare;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Some(end) = text.iter().position(|&byte| byte == b'\n') else {
        return;
    };
    let (one, other) = (&text[..end], &text[end + 1..]);
    assert_eq!(compare(one, other), compare(other, one).reverse());
    assert_eq!(compare(one, one), Ordering::Equal);
    assert_eq!(compare(other, other), Ordering::Equal);
    if one == other {
        assert_eq!(compare(one, other), Ordering::Equal);
    }
});
