//! Tests the HTTP API as storefronts and shoppers use it.

mod checkouts;
mod clarification;
mod openapi;
mod pages;
mod redirect;
mod status;
