//! No private data reaches logs, events or errors, and no function has a permission that it does not need.

mod permissions;
mod private_data;
