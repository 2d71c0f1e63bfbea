//! Tests the stored documents: the stored form of each kind of payment, and documents of a newer release.

mod changes;
mod newer;
#[path = "../../simulation/next_release.rs"]
mod next_release;
mod stored;
mod words;
