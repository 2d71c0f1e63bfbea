//! Tests that each function needs each of its permissions.
//!
//! The test revokes a permission and performs an action that needs this permission. The local AWS then refuses a call,
//! and the function's log names the role and the action. By default the test revokes only one permission of each
//! function. With `LONG=1` the test revokes each permission, one after another.

mod actions;
mod needed;
