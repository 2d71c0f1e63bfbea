//! Makes the messages of the platform, with their codes and signatures.

mod answer;
pub mod codes;
mod object;
mod payment;
mod php_json;
mod signing;

pub use answer::{json, signed_json};
pub use object::{Member, Object};
pub use payment::{callback, date, service_error, status, status_error};
pub use signing::{Project, signed, verifies};
