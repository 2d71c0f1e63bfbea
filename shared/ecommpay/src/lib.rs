//! The ecommpay platform's protocol for Bancontact, and nothing else: no network, no clock, no AWS.
//!
//! A message is read once, by [`json`], which keeps every number as it was written; the same tree
//! is then verified by [`signature`] and read by [`report`] or [`answer`]. What we send is made
//! from the typed requests of [`gate`], whose fields ([`fields`]) cannot hold anything that would
//! let a second message share the signature. Every item names the page of the platform's
//! documentation that it follows; [`sources`] lists them.

pub mod answer;
mod calendar;
pub mod codes;
pub mod customer;
pub mod data_api;
pub mod fields;
pub mod gate;
pub mod json;
pub mod keyring;
mod lines;
pub mod operation;
pub mod path_order;
pub mod payment_page;
mod php_number;
pub mod report;
pub mod signature;

#[doc = include_str!("sources.md")]
pub mod sources {}

#[doc = include_str!("sdk_differences.md")]
pub mod sdk_differences {}

pub use keyring::{KeySlot, Keyring, ProjectKey};
pub use signature::Signature;
