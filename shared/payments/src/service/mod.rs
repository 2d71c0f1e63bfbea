//! The use cases over the ports: load, decide, commit, publish.

pub mod backoff;
pub mod callback;
pub mod checkout;
pub mod clarification;
pub mod commit;
pub mod day_pages;
pub mod error;
pub mod outbox;
pub mod project_keys;
pub mod reconcile;
pub mod refund;
pub mod report;
pub mod review;
pub mod status_poll;
pub mod storefront;
pub mod sweep;
