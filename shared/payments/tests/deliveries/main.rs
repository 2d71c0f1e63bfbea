//! Tests the delivery of events to endpoints, with a fake behind each port. `simulation` makes random runs with faults.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../builders/mod.rs"]
mod builders;
mod dead_letters;
mod enabling;
#[path = "../fakes/mod.rs"]
mod fakes;
mod first_tries;
mod races;
mod retries;
mod routes;
mod runs;
mod simulation;
mod stores;
mod system;
