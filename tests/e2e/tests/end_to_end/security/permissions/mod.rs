//! Each permission of each function is needed.
//!
//! The test revokes one permission and does what needs it. The local AWS then refuses a call, and the function's log
//! names the role and the action. By default the test revokes one permission of each function, with `LONG=1` all.

mod actions;
mod needed;
