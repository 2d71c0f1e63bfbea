//! The use cases over ports in memory: races, crashes, and who sends what.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod checkouts;
mod decisions;
mod expiries;
#[path = "../memory/mod.rs"]
mod memory;
mod paid_twice;
mod payment_pages;
mod polls;
mod polls_by_hand;
mod publishing;
mod refunds;
mod republishing;
mod stage;
mod sweeps;
