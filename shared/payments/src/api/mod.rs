//! Contains the code that depends on HTTP: authorization, request bodies, answers and problem documents.

pub mod body;
pub mod call;
mod errors;
pub mod problem;
pub mod requests;
pub mod response;
