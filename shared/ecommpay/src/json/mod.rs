//! Reads JSON into a tree that stores numbers as text.
//!
//! A signature covers the text of the values, so the reader must not change this text: `10.0` stays `10.0`, and an
//! integer of any length stays exact. General-purpose parsers convert numbers to floats, accept an object with two
//! equal keys, or have no limit on depth. This reader refuses two equal keys, and a text that exceeds a limit.

mod error;
mod limits;
mod reader;
mod value;

#[cfg(test)]
mod tests;

pub use error::JsonError;
pub use limits::Limits;
pub use reader::parse;
pub use value::{Member, Value};
