//! What every command works with.

use std::io::Write;

use crate::account::Account;
use crate::confirm::ConfirmArgs;

/// One run of the tool.
pub struct Session<'a> {
    /// The stack that it is about.
    pub account: &'a Account,
    /// What asks before anything is changed.
    pub confirm: &'a ConfirmArgs,
    /// Whether JSON is wanted.
    pub json: bool,
    /// Where the answer goes.
    pub out: &'a mut dyn Write,
}
