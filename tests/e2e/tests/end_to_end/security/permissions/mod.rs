//! Tests that each function needs its permissions.
//!
//! The test revokes a permission, and performs an action that needs it. The local AWS must then refuse a call, and a
//! log must name the role and the action. With `LONG=1`, all permissions are revoked, one after another. Without
//! `LONG=1`, one permission of each function is revoked.
//!
//! The modules `storefront_keys` and `webhooks` use the role of each function for calls that no function may make.

mod actions;
mod needed;
mod storefront_keys;
mod webhooks;
