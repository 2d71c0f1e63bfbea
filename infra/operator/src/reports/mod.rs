//! Defines commands on many payments: reports, and the comparison with the platform's records.

pub mod reconcile;
pub mod report;
