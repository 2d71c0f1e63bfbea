//! Checkouts and payments for storefronts, and the shopper's pages, apart from their process, so
//! that tests can call them.

pub mod clarification;
pub mod handler;
pub mod language;
pub mod pages;
mod shopper;
mod storefront;
