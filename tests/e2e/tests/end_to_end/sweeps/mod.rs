//! The sweeper: publishes the outbox, polls the platform, closes links and erases customers.

mod outbox;
mod retention;
mod status_polls;
