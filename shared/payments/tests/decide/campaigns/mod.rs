//! Searches over many facts: each set of facts ends the same in every order, as tables say.

mod any_order;
mod corpus_index;
mod ends;
mod exhaustive;
mod status_tables;

/// Whether the campaigns run in full.
fn is_long() -> bool {
    std::env::var_os("LONG").is_some_and(|long| long == "1")
}
