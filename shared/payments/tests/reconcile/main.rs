//! The platform's books held against ours: what differs is told once, whatever is compared how
//! often, and memory does not grow with it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../memory/mod.rs"]
#[allow(dead_code)]
mod memory;

mod bulk;
mod platform;
mod progress;
mod slices;
mod world;
