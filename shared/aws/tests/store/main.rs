//! The store and the relay on a real table: races, marks, indexes, lost answers, keys.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod commits;
mod days;
mod indexes;
mod orders;
mod progress;
mod relay;
mod storefront_keys;
mod world;
