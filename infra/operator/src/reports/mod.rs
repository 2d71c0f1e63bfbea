//! Defines the commands that concern many payments: the reports, and the comparison with the platform's records.

pub mod reconcile;
pub mod report;
