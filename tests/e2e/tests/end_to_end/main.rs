//! Tests the deployed system from outside: the real functions, deployed from the real template. Most tests start their
//! own sandbox. All tests are in one program, so that cargo links only one program, and so that several sandboxes run
//! in parallel.
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
