//! Refunds for storefronts. A library, so that tests can call the handler.

pub mod handler;
