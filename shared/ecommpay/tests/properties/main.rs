//! Tests properties of the reader, of the canonical string, and of the order in which field paths are signed, on random
//! input.
//!
//! By default, each property runs with 500 or 2,000 cases.
//! `LONG=1 cargo test --release -p ecommpay --test properties` runs 20,000 to 1,000,000 cases for each property.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod changes;
mod message;
mod model;
mod order;
mod outbound;
mod reader;
mod signature;

use ecommpay::{Keyring, ProjectKey};
use proptest::prelude::*;

/// Returns a configuration with `few` cases, or `many` with `LONG=1`.
fn cases(few: u32, many: u32) -> ProptestConfig {
    let long = std::env::var_os("LONG").is_some_and(|long| long == "1");
    ProptestConfig {
        cases: if long { many } else { few },
        max_shrink_iters: 20_000,
        // The filters reject few values. In a long run, the number of rejected values still exceeds the default limit.
        max_local_rejects: u32::MAX,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn key() -> ProjectKey {
    ProjectKey::new("a-key-of-the-properties").unwrap()
}

fn keyring() -> Keyring {
    Keyring::new(key(), None)
}
