//! The real binary of the operator's tool in real sandboxes.
#![allow(clippy::indexing_slicing)]

mod binary;
mod documents;
mod keys;
mod payments;
mod report;
