//! Tests the rules of a payment: what each fact and command changes. The tests use no network, no clock and no AWS.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../builders/mod.rs"]
mod builders;
mod campaigns;
mod dates;
mod discrepancies;
mod documents;
mod events;
mod fixtures;
mod polling;
mod quarantine;
mod refunds;
mod report;
mod sales;
