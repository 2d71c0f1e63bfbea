//! What facts and commands make of a payment: no network, no clock, no AWS.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod clarification;
mod conclusions;
mod confirmation;
mod discrepancies;
mod ends;
mod events;
mod exhaustive;
mod expiry;
mod lifecycle;
mod links;
mod not_found;
mod orders;
mod other_operations;
mod polling;
mod quarantine;
mod refunds;
mod refusals;
mod report;
mod returned_refunds;
mod second_corpus;
mod story;
mod sums;
mod tables;
