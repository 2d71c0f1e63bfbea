//! Tests the daily comparison with the platform's records.

mod differences;
mod schedule;
