//! Tests that each function needs each of its permissions.
//!
//! The test revokes a permission and performs an action that needs it. The local AWS then refuses a call, and the
//! function's log names the role and the action. By default the test revokes only one permission of each function. With
//! `LONG=1` it revokes each permission, one after another. A second test makes calls with the role of each function that no
//! function may make.

mod actions;
mod needed;
mod storefront_keys;
