//! The work of the sweeper: everything that is due, found by sparse indexes.

pub mod batch_run;
pub mod outbox;
pub mod retention;
