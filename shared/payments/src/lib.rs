//! Contains the rules of a payment and the use cases over ports, without AWS.
//!
//! | module | contents |
//! | --- | --- |
//! | [`model`] | the data of a payment, and everything that can be derived from it |
//! | [`events`] | the CloudEvents that a change emits, and the public view of a payment |
//! | [`decide`] | the only code that changes a payment: pure functions |
//! | [`ports`] | the traits that an adapter implements: store, queues, Gate, Data API, clock |
//! | [`service`] | the use cases over the ports |
//! | [`api`] | HTTP: authorization, request bodies, answers, problem documents |
//!
//! A module uses only the modules above it in this table. Every module may use [`escape`], [`log`] and [`sha256`].

pub mod api;
pub mod decide;
pub mod escape;
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
