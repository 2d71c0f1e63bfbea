//! Searches over many facts. Each set of facts ends the same in every order, and the ends are those in the tables.

mod any_order;
mod corpus_index;
mod ends;
mod exhaustive;
mod many_operations;
mod status_tables;

/// Returns whether the campaigns run in full (`LONG=1`).
fn is_long() -> bool {
    std::env::var_os("LONG").is_some_and(|long| long == "1")
}
