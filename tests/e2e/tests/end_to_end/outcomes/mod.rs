//! Tests the outcomes of a payment after the shopper has paid. The page, `/status`, the API and the events must agree.

mod confirmation;
mod expiry;
mod quarantine;
mod walk;
