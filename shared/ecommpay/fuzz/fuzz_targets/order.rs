//! Reads two paths, separated by the first line feed. Checks that the paths compare as in the reference model.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run order` (in `shared/ecommpay`)
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/properties/model.rs"]
mod model;

use ecommpay::signature::path_order::compare;
use libfuzzer_sys::fuzz_target;
use model::parts;

fuzz_target!(|text: &[u8]| {
    let Some(end) = text.iter().position(|&byte| byte == b'\n') else {
        return;
    };
    let (one, other) = (&text[..end], &text[end + 1..]);
    let expected = parts(one).cmp(&parts(other));
    assert_eq!(compare(one, other), expected);
    assert_eq!(compare(other, one), expected.reverse());
});
