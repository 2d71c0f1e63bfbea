//! What facts and commands make of a payment: no network, no clock, no AWS.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod conclusions;
mod discrepancies;
mod ends;
mod events;
mod lifecycle;
mod orders;
mod polling;
mod quarantine;
mod refunds;
mod report;
mod story;
