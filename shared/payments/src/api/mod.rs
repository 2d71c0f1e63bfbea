//! HTTP: the only code that knows about requests, answers and problem documents.

pub mod body;
pub mod call;
mod errors;
pub mod problem;
pub mod requests;
