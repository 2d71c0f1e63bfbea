//! Tests the results of a payment, which the checkout page, `/status`, the API and the events must show.

mod confirmation;
mod expiry;
mod quarantine;
mod walk;
