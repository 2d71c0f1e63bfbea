//! `POST /callbacks`, apart from its process, so that tests can call it.

pub mod handler;
pub mod outcome;
