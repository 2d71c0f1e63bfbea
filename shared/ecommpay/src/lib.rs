//! Implements the protocol of the ecommpay platform for Bancontact, without network, clock and AWS.
//!
//! A module uses only modules of earlier rows in this table.
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
//! | [`data_api`] | the platform records, for the reconciliation |
//!
//! Callbacks and signed answers are parsed only once: the same tree is verified and then read. The types of
//! [`fields`] cannot hold a value with which two requests would share a signature.
//!
//! Each module names the sources of the platform's rules that it follows. [`sources`] lists all sources.

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
