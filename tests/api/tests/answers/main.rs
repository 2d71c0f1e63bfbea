//! Compares answers of the API with the stored answers in `tests/data/responses`.
#![allow(clippy::indexing_slicing)]

mod checkouts;
mod clarification;
mod path_ids;
mod payments;
mod refunds;
mod replaced_key;
mod status;
mod wait;
