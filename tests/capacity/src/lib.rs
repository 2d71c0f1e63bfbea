//! Calculates load, limits and the AWS bill from the calls of one payment.
//!
//! `tests/e2e/tests/end_to_end/cost/payment.rs` counts these calls, and writes the counts to `counted.json`. The other
//! inputs are AWS's quotas and prices, the template's settings, and a few assumptions.
//!
//! `cargo run --bin capacity` prints all tables. A test compares the tables of `infra/capacity.md` with the
//! calculation. These tables contain no prices.

pub mod assumptions;
pub mod bill;
pub mod counted;
pub mod limits;
pub mod load;
pub mod markdown;
pub mod quotas;
pub mod spread;
pub mod tables;
pub mod template;
pub mod units;
