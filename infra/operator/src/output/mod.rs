//! Formats ids, amounts, lists and tables, and writes them to the terminal.

pub mod table;
pub mod terminal;
pub mod text;
