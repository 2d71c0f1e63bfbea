//! Receives the platform's callbacks. This crate is also a library, so that tests can call the handler.

pub mod handler;
mod http_status;
mod log_line;
