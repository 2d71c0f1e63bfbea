//! Prints messages for the user.

use std::io::Write;

use payments::escape::lines_for_terminal;

/// Writes lines to standard error. Characters that are not visible are escaped, because requests and events have ids
/// that others choose: escape such text with [`payments::escape::for_terminal`], so that it also stays in its line.
/// Unlike `eprintln!`, this function does not panic if the terminal is closed.
pub fn say(lines: &str) {
    let _ = writeln!(std::io::stderr(), "{}", lines_for_terminal(lines));
}
