//! Prints messages for the user.

use std::io::Write;

use payments::escape::lines_for_terminal;

/// Writes lines to standard error. Escapes invisible characters, but not line breaks. Foreign text, such as the id in a
/// request or an event, could contain line breaks: escape foreign text first, with [`payments::escape::for_terminal`].
/// Unlike `eprintln!`, this function does not panic if the terminal is closed.
pub fn say(lines: &str) {
    let _ = writeln!(std::io::stderr(), "{}", lines_for_terminal(lines));
}
