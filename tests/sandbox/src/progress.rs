//! Prints messages for the user.

use std::io::Write;

/// Writes a line to standard error. Unlike `eprintln!`, this function does not panic if the terminal is closed.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
