//! Tests the deployed system from outside: the real functions and the real template. Most tests start their own
//! sandbox.
//!
//! All tests are one program. Therefore cargo links only once, and several sandboxes run in parallel.
#![allow(clippy::indexing_slicing)]

mod api;
mod callbacks;
mod consumer;
mod cost;
mod deployment;
mod gate;
mod monitoring;
mod outcomes;
mod reconciliation;
mod refunds;
mod security;
mod sweeps;
mod template;
mod webhooks;
