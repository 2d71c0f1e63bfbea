//! Tests `POST /callbacks`.

mod answers;
pub mod collection;
mod foreign_ids;
mod hints;
mod order;
