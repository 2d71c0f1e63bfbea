//! Tests the use cases with in-memory ports: races, crashes, retries, and which call publishes which event.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../builders/mod.rs"]
mod builders;
mod checkouts;
mod clarification;
mod expiry;
#[path = "../fakes/mod.rs"]
mod fakes;
mod order_paid_twice;
mod payment_page;
mod poll_by_hand;
mod polls;
mod publishing;
mod publishing_pages;
mod refunds;
mod reviews;
mod sweeps;
mod system;
mod unreadable;
