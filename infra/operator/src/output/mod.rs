//! How results are written: tables, amounts and lists.

pub mod table;
pub mod text;
