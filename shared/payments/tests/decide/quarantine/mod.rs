//! Tests money that differs from the order, and an operator's decision about this money.

mod differing_sums;
mod foreign;
mod foreign_evidence;
mod other_operations;
mod rejections;
mod reviews;
mod sums;
