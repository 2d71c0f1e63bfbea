//! What a payment costs, and what so many payments a second need.
//!
//! What is counted in a sandbox (`counted.json`, kept by `tests/e2e/tests/end_to_end/cost.rs`), list prices
//! (`prices.csv`), quotas (`quotas.csv`), the template's own settings and a few stated assumptions
//! make the tables of the README and of `infra/capacity.md`. `cargo run --bin capacity` prints them.

pub mod assumptions;
pub mod bill;
pub mod counted;
pub mod documents;
pub mod figures;
pub mod limits;
pub mod load;
pub mod markdown;
pub mod spread;
pub mod template;
pub mod units;
