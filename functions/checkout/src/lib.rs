//! Serves storefronts and shoppers. This crate is also a library, so that tests can call the handler.

mod checkouts;
pub mod form;
pub mod handler;
pub mod language;
pub mod pages;
mod redirect;
mod send_clarification;
mod shopper;
mod storefront;
mod wait_slot;
