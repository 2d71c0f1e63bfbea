//! Tests the store with a table in the process of the test: commits, indexes, the outbox, and lost answers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod commits;
mod days;
mod due;
mod foreign_ids;
mod outbox;
mod paid_orders;
mod progress;
mod published;
mod storefront_keys;
mod unreadable;
mod wait_slots;
mod world;
