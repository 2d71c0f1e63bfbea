//! Tests that logs, events and errors contain no private data, and that functions have no needless permission.

mod permissions;
mod private_data;
