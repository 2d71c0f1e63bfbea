//! Tests the tool's binary in real sandboxes, and checks the documents of the repository.
#![allow(clippy::indexing_slicing)]

mod administration;
mod documents;
mod operator;
mod payment;
mod report;
