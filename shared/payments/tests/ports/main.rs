//! The use cases over ports in memory: races, crashes, and who sends what.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod checkouts;
mod decisions;
#[path = "../memory/mod.rs"]
mod memory;
mod paid_twice;
mod publishing;
mod questions;
mod questions_by_hand;
mod refunds;
mod republishing;
mod stage;
mod sweeps;
