//! The rules of a payment, the ports they need, and the adapters behind the ports.
//!
//! The way of every fact is the same: [`decide`] turns what we know and what we hear into a
//! change, [`apply`] commits it on the condition that nothing else was committed meanwhile, and
//! [`publish`] announces it, or later [`relay`]; [`reconcile`] holds all of it against the
//! platform's books. Decisions are pure; [`adapters`] only carry.

pub mod adapters;
pub mod apply;
pub mod ask;
pub mod backoff;
pub mod callback;
pub mod checkout;
pub mod chores;
pub mod clarification;
pub mod config;
pub mod day;
pub mod day_pages;
pub mod decide;
pub mod decision;
pub mod event;
pub mod http_call;
pub mod ids;
pub mod input;
mod json_text;
pub mod key_book;
pub mod log;
pub mod model;
mod paid_twice;
pub mod payment_page;
pub mod ports;
pub mod problem;
pub mod publish;
pub mod reconcile;
pub mod refund;
pub mod relay;
pub mod report;
pub mod republish;
pub mod round;
pub mod schedule;
pub mod sha256;
pub mod storefront;
pub mod timestamp;
pub mod token;
pub mod view;

pub use apply::Payments;
pub use ids::{MerchantId, PaymentKey};
pub use timestamp::Timestamp;
