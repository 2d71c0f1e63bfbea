//! Tests that each function needs each of its permissions.
//!
//! The test revokes a permission and performs an action for which the function needs this permission. The local AWS
//! then refuses a call, and a log names the role and the action. By default the test revokes only one permission of
//! each function. With `LONG=1` it revokes every permission, one after another.
//!
//! The tests in `storefront_keys` use the role of each function for calls that no function may make.

mod actions;
mod needed;
mod storefront_keys;
