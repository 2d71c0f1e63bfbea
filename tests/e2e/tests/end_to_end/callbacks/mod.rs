//! `POST /callbacks`: the answer to each body, and the payment that many callbacks lead to.

mod answers;
pub mod collection;
mod hints;
mod order;
