//! Refunds for storefronts, apart from their process, so that tests can call them.

pub mod handler;
