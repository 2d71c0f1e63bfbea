//! Runs the tasks of the sweeper. Sparse indexes list the payments that are due.

pub mod batch_run;
pub mod outbox;
pub mod retention;
