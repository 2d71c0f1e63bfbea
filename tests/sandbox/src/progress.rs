//! Prints messages for the user.

use std::io::Write;

use payments::escape::lines_for_terminal;

/// Writes lines to standard error. Unlike `eprintln!`, this function does not panic if the terminal is closed.
///
/// Invisible characters are escaped, but line breaks are not. Therefore escape foreign text first, with
/// [`payments::escape::for_terminal`].
pub fn say(lines: &str) {
    let _ = writeln!(std::io::stderr(), "{}", lines_for_terminal(lines));
}
