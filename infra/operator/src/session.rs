//! Defines the context of a run, which each command receives.

use std::fmt::Display;
use std::io::Write;

use payments::escape::json_for_terminal;
use serde::Serialize;

use crate::input::confirm::ConfirmArgs;
use crate::output::table::Table;
use crate::stack::Stack;

pub struct Session<'a> {
    /// The stack that the command works on.
    pub stack: &'a Stack,
    /// Asks the operator for confirmation. Each command asks before it changes something.
    pub confirm: &'a ConfirmArgs,
    /// Whether to write JSON instead of text and CSV.
    pub json: bool,
    pub out: &'a mut dyn Write,
}

impl Session<'_> {
    /// Writes a result: with `--json` the value as a line of JSON, otherwise the text. Foreign text in `text` must
    /// already be escaped, and `text` must end with a line feed.
    pub fn write(&mut self, value: &impl Serialize, text: impl Display) -> anyhow::Result<()> {
        match self.json {
            true => writeln!(
                self.out,
                "{}",
                json_for_terminal(serde_json::to_string(value)?)
            )?,
            false => write!(self.out, "{text}")?,
        }
        Ok(())
    }

    /// Starts a table: with `--json` as JSON lines, otherwise as CSV with these columns.
    pub fn table(&mut self, columns: &'static [&'static str]) -> anyhow::Result<Table<'_>> {
        match self.json {
            true => Ok(Table::Json(&mut *self.out)),
            false => Table::csv(columns, &mut *self.out),
        }
    }
}
