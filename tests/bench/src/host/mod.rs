//! Starts functions and sends events to them, as Lambda does.
//!
//! An [`Instance`] is a process with its own Runtime API. An instance handles one event at a time. For several events
//! at a time, start several instances of a [`Program`].
//!
//! Dropping an instance ends its process. When this program ends, the Runtime APIs end. A process ends when its Runtime
//! API ends. The supervisor (`tools::supervised`) ends any process that still runs.

mod cpu;
mod instance;
mod program;
mod runtime_api;
#[cfg(test)]
mod tests;

pub use self::instance::{Gauge, Instance, Usage};
pub use self::program::{Program, check_log};
