//! The comparison of our records with the platform's: each difference is emitted once, however often an
//! interval is compared, and the memory does not grow with the number of operations.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../builders/mod.rs"]
mod builders;
mod comparison;
mod failures;
#[path = "../fakes/mod.rs"]
mod fakes;
mod memory;
mod progress;
mod system;
