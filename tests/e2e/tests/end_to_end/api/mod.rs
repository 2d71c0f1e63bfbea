//! Tests the HTTP API for storefronts and shoppers.

mod checkouts;
mod clarification;
mod openapi;
mod pages;
mod redirect;
mod status;
