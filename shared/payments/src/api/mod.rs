//! HTTP for storefronts: authorization, request bodies, answers and problem documents. Only this module knows
//! HTTP.

pub mod body;
pub mod call;
mod errors;
pub mod problem;
pub mod requests;
pub mod response;
