//! Runs the functions as Lambda does, on stubs of what they call, and measures them.
//!
//! [`host`] is for any program that wants functions in sandboxes of their own.
//! [`load`] is sustained load.

pub mod host;
pub mod load;
pub mod scenario;
pub mod stubs;
pub mod supervised;
pub mod world;
