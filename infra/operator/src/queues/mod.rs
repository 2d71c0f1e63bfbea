//! Defines the commands on the queues and their dead-letter queues.

pub mod counts;
pub mod redrive;
