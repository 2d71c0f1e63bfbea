//! The rules of a payment, without AWS and without a transport.
//!
//! | module | holds |
//! | --- | --- |
//! | [`model`] | the data of a payment, and everything that can be derived from it |
//! | [`decide`] | the only code that changes a payment: pure functions |
//! | [`events`] | the CloudEvents that a change emits, and the public view of a payment |
//! | [`ports`] | the traits that an adapter implements: store, queues, Gate, Data API, clock |
//! | [`service`] | the use cases over the ports |
//! | [`api`] | HTTP: request bodies, answers, problem documents |
//!
//! Each module uses only those above it in this table. [`log`] is used by `events` and everything below.

pub mod api;
pub mod decide;
pub mod events;
mod json_text;
pub mod log;
pub mod model;
pub mod ports;
pub mod service;
pub mod sha256;

pub use model::ids::{MerchantId, PaymentKey};
pub use model::timestamp::Timestamp;
pub use service::commit::Payments;
