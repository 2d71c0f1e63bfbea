//! Tests the DynamoDB store against emulated tables in the test process.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod commits;
mod days;
mod due;
mod foreign_ids;
mod newer_release;
mod outbox;
mod paid_orders;
mod progress;
mod published;
mod runs;
mod storefront_keys;
mod throttling;
mod unreadable;
mod wait_slots;
mod webhooks;
mod world;
