//! Sandboxes: programs that are started and fed with events as Lambda does it.
//!
//! A [`Sandbox`] is one process with a Runtime API of its own. Like Lambda it gives the process one event at a time;
//! who wants more at once starts more sandboxes of the same [`Program`]. Everything is for one thread: a sandbox never
//! waits for another.
//!
//! A process ends when its sandbox is dropped. It also ends when this whole process does, since its Runtime API is
//! gone then; [`supervised`](crate::supervised) makes sure of that even for programs that would not notice.

mod cpu;
mod program;
mod runtime_api;
mod sandbox;

pub use self::program::{Program, no_error_in};
pub use self::sandbox::{Gauge, Invocation, Sandbox, Usage};
