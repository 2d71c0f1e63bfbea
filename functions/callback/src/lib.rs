//! The platform's callbacks. A library, so that tests can call the handler.

pub mod handler;
mod http_status;
mod log_line;
