//! Runs the functions as Lambda does, on stubs of what they call, and measures them.
//!
//! [`host`] is for any program that wants functions in sandboxes of their own.
//! [`load`] is sustained load.

pub mod figures;
pub mod goals;
pub mod host;
pub mod isolated;
pub mod load;
pub mod measure;
pub mod plot;
pub mod report;
pub mod scenario;
pub mod stubs;
pub mod world;
