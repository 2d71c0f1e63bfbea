//! Contains the HTTP of the API: authorization, request bodies, answers and problem documents. No other module of this
//! crate knows HTTP.

pub mod body;
pub mod call;
mod errors;
pub mod problem;
pub mod requests;
pub mod response;
