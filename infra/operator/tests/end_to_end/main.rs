//! The tool's binary in real sandboxes, and the documents that describe it.
#![allow(clippy::indexing_slicing)]

mod administration;
mod documents;
mod operator;
mod payment;
mod report;
