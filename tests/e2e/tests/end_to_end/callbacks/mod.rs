//! Tests `POST /callbacks`: the answer to each body, and the state of a payment after many callbacks.

mod answers;
pub mod collection;
mod foreign_ids;
mod hints;
mod order;
