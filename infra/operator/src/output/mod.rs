//! Formats results, and writes them: tables, amounts, lists, and the terminal.

pub mod table;
pub mod terminal;
pub mod text;
