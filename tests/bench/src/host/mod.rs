//! Starts programs and sends them events as Lambda does.
//!
//! An [`Instance`] is one process with its own Runtime API. It handles one event at a time. To handle several at once, start
//! several instances of one [`Program`].
//!
//! Dropping an instance ends its process. When this program ends, a process loses its Runtime API and ends also.
//! The supervisor (`tools::supervised`) ends a process that ignores this.

mod cpu;
mod instance;
mod program;
mod runtime_api;
#[cfg(test)]
mod tests;

pub use self::instance::{Gauge, Instance, Usage};
pub use self::program::{Program, check_log};
