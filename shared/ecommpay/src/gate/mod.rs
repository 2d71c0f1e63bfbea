//! Defines the requests to Gate, typed and signed.
//!
//! Every request is a `POST` of JSON. The signature is in `general.signature` and covers all other fields.
//! There is no other authentication.
//!
//! This crate leaves out the following fields and requests. Each has one of these reasons: Bancontact does not use it,
//! it needs an agreement with the platform, or other data replaces it.
//!
//! - `terminal_callback_url`, `referrer_url`: for Payment Page;
//! - `callback`: delays callbacks or turns them off;
//! - `interface_type`: by agreement with the platform;
//! - `additional_data` of a sale: the fields of `customer` hold the same data;
//! - `receipt_data`, `recurring`, `recurring_register`, and in `customer` the identity documents and the
//!   billing object;
//! - `destination` of a status request;
//! - `/v2/payment/status/request`, the status of a single request: the status of the payment includes the request.

mod clarification;
mod refund;
mod request;
mod sale;
mod status;

pub use clarification::{Clarification, sendable_names};
pub use refund::{Refund, RefundCustomer, RefundPayment};
pub use request::{General, Request};
pub use sale::{Customer, ReturnUrl, Sale, SalePayment};
pub use status::Status;

#[cfg(test)]
mod tests;
