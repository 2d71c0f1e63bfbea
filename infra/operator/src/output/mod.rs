//! Formats results: tables, amounts and lists.

pub mod table;
pub mod text;
