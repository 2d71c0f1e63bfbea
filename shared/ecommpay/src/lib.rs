//! The ecommpay platform's protocol for Bancontact. No network, no clock, no AWS.
//!
//! A module uses only modules from the rows above its own.
//!
//! | module | holds |
//! | --- | --- |
//! | [`json`] | a JSON reader that stores every number as it is written |
//! | [`signature`] | the canonical string of a message, the project keys, signing and verification |
//! | [`fields`] | the values of requests, as types with the platform's limits |
//! | [`customer`] | the optional customer data of a sale |
//! | [`gate`], [`payment_page`] | the signed requests to Gate and the signed link to Payment Page |
//! | [`operation`], [`codes`] | the platform's types of operations, statuses and result codes |
//! | [`report`] | callbacks and status answers |
//! | [`answer`] | the answers of Gate to requests |
//! | [`data_api`] | the platform's records, for reconciliation |
//!
//! Callbacks and signed answers are parsed once: the same tree is verified and then read. The types of
//! [`fields`] cannot hold a value with which two requests would share a signature.
//!
//! Every item names the page of the platform's documentation that it follows; [`sources`] lists the
//! pages.

pub mod answer;
pub mod codes;
pub mod customer;
pub mod data_api;
pub mod fields;
pub mod gate;
pub mod json;
pub mod operation;
pub mod payment_page;
pub mod report;
pub mod signature;

#[doc = include_str!("sources.md")]
pub mod sources {}

#[doc = include_str!("sdk_differences.md")]
pub mod sdk_differences {}

pub use signature::Signature;
pub use signature::keyring::{KeySlot, Keyring, ProjectKey};
