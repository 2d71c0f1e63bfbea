//! Finds the due payments, and does or hands out the work (`shared/decisions/state/0039-work-queue.md`).
//!
//! [`Sweeper`] runs each minute. It hands out all status polls to the worker through a queue. It does other work
//! itself up to a limit, and hands out the rest. `tasks.rs` has the tasks of the sweeper and the worker.

pub mod batch_run;
mod find_due;
mod plan;
mod sweeper;
mod tasks;

pub use self::plan::POLLS_PER_MESSAGE;
pub use self::sweeper::{PollSweep, Sweeper};
