//! Tests that no private data reaches logs, events or errors, and that no function has a permission that it does not
//! need.

mod permissions;
mod private_data;
