//! Contains the code of the API that depends on HTTP: authorization, request bodies, answers and problem documents. No
//! other module of this crate uses HTTP types.

pub mod body;
pub mod call;
mod errors;
pub mod problem;
pub mod requests;
pub mod response;
