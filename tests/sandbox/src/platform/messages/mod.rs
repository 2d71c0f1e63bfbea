//! The messages of the platform: their codes, their JSON and their signatures.

mod answer;
pub mod codes;
mod payment;
mod php_json;
mod signing;

pub use answer::{json, signed_json};
pub use payment::{RedirectData, callback, date, service_error, status, status_error};
pub use signing::{Project, signed, verifies};
