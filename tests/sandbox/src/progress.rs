//! What the sandbox tells the user while it works.

use std::io::Write;

/// Writes one line to standard error. A terminal that has gone away is no reason to fail, so unlike `eprintln!`
/// this never panics.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
