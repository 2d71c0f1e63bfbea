//! Money that differs from the order, and an operator's decision about it.

mod other_operations;
mod reviews;
mod sums;
