//! Tests the outcomes of a payment. The checkout page, `/status`, the API and the events must agree.

mod confirmation;
mod expiry;
mod quarantine;
mod walk;
