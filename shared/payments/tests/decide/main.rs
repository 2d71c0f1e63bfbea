#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod ends;
mod story;
