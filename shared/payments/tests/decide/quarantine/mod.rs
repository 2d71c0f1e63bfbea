//! Tests money that differs from the order, and an operator's decision about this money.

mod other_operations;
mod reviews;
mod sums;
