//! Tests the comparison of our records with the platform records. Each discrepancy is emitted once, even if an interval
//! is compared several times or in parts. The memory of a part does not grow with the number of operations.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../builders/mod.rs"]
mod builders;
mod comparison;
mod failures;
#[path = "../fakes/mod.rs"]
mod fakes;
mod memory;
mod once;
mod parts;
mod progress;
mod system;
