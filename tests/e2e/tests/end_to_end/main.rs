//! Tests the deployed system, called from outside: the real functions behind the real template. Most tests have their
//! own sandbox. All tests are in one program, so that cargo links only one program and several sandboxes can run in
//! parallel.
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
