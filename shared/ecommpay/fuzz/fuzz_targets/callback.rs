//! Any bytes as a callback: everything that reads it must come to an end without a panic, and the
//! reader takes what serde_json takes.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run callback` (in `shared/ecommpay`)
#![no_main]

use ecommpay::json::{JsonError, Limits, parse};
use ecommpay::report::Report;
use ecommpay::signature::{canonical, may_be_reframed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let ours = parse(body, Limits::CALLBACK);
    let theirs = serde_json::from_slice::<serde_json::Value>(body);
    match (&ours, &theirs) {
        // JSON knows no largest number, only serde_json's floats do.
        (Ok(_), Err(error)) => assert!(
            error.to_string().starts_with("number out of range"),
            "taken, but {error}"
        ),
        (Err(error @ (JsonError::NotJson(_) | JsonError::NotUtf8)), Ok(_)) => {
            panic!("refused: {error}")
        }
        // Agreed; or our limits, and keys that serde_json takes twice.
        (Ok(_), Ok(_)) | (Err(_), _) => {}
    }
    if let Ok(message) = ours {
        let string = canonical(&message);
        assert!(std::str::from_utf8(&string).is_ok());
        assert_eq!(message, parse(body, Limits::CALLBACK).unwrap());
        Report::read(&message);
        may_be_reframed(&message);
    }
});
