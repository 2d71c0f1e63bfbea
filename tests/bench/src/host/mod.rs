//! Starts the programs of functions and sends events to the programs, as Lambda does.
//!
//! An [`Instance`] is one process with its own Runtime API, and handles one event at a time. To handle several events
//! at the same time, start several instances of one [`Program`].
//!
//! Dropping an instance ends its process. If this program ends, each process loses its Runtime API and therefore ends.
//! The supervisor (`tools::supervised`) ends a process that still runs.

mod cpu;
mod instance;
mod program;
mod runtime_api;
#[cfg(test)]
mod tests;

pub use self::instance::{Gauge, Instance, Usage};
pub use self::program::{Program, check_log};
