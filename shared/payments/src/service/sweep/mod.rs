//! Finds the payments that are due, and does or hands out the work (`shared/decisions/state/0039-work-queue.md`).
//!
//! [`Sweeper`] runs each minute. It hands out every status poll to the worker through a queue. The other work is done
//! directly up to a limit, and handed out above this limit. `tasks.rs` has the work itself, for the sweeper and the
//! worker.

pub mod batch_run;
mod find_due;
mod plan;
mod sweeper;
mod tasks;

pub use self::plan::POLLS_PER_MESSAGE;
pub use self::sweeper::{PollSweep, Sweeper};
