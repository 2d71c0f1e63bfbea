//! Compares every status and every problem that the API returns with `tests/data/responses`.
#![allow(clippy::indexing_slicing)]

mod checkouts;
mod clarification;
mod path_ids;
mod payments;
mod refunds;
mod replaced_key;
mod status;
mod wait;
