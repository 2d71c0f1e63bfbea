//! Defines the commands on the event queues and their dead-letter queues.

pub mod counts;
pub mod redrive;
