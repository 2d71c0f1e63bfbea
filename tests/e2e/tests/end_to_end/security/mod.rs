//! Private data in logs, events and errors; permissions that are needed.

mod permissions;
mod private_data;
