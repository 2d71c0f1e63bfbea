//! Tests many sequences of facts. A payment must end the same in every order of the same facts, and as the tables say.

mod any_order;
mod corpus_index;
mod ends;
mod exhaustive;
mod largest_payment;
mod many_operations;
pub use self::many_operations::with_two_thousand_operations;
mod refund_order;
mod removed_operations;
mod status_tables;

/// Returns whether the campaigns run in full.
pub fn is_long() -> bool {
    std::env::var_os("LONG").is_some_and(|long| long == "1")
}
