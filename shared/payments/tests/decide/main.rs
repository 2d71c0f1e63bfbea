//! What facts make of a payment: the corpus' callbacks in many orders, answers, and refunds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod differences;
mod doubts;
mod ends;
mod events;
mod orders;
mod payments_of_the_corpus;
mod questions;
mod refunds;
mod report;
mod silence;
mod story;
