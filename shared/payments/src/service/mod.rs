//! Contains the use cases over the ports.
//!
//! A change has these steps: load the payment, decide, commit ([`commit`]), publish ([`outbox`]). [`apply`] performs
//! them for one fact.

pub mod apply;
pub mod backoff;
pub mod callback;
pub mod checkout;
pub mod clarification;
pub mod commit;
pub mod daily_run;
mod day_pages;
pub mod error;
pub mod outbox;
mod progress;
pub mod project_keys;
pub mod reconcile;
pub mod refund;
pub mod report;
pub mod review;
mod signed_call;
pub mod status_poll;
pub mod storefront;
pub mod sweep;
mod visibility;
pub mod webhook;

pub use self::signed_call::MAX_CALL;
