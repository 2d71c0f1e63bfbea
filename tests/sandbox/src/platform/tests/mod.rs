//! Tests the platform over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod bank;
mod callbacks;
mod confirmation;
mod data_api;
mod gate_answers;
mod gate_requests;
mod large_answers;
mod links;
mod money;
mod payment_page;
mod project_rules;
mod refunds;
mod stage;
mod start_page;
