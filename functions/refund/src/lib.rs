//! Refunds payments for storefronts. This crate is also a library, so that tests can call the handler.

pub mod handler;
