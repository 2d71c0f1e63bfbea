//! Tests the sample consumer with its queue, and the queue of the event bus.

#[cfg(target_os = "linux")]
mod crash;
mod dead_letters;
mod event_bus;
#[cfg(target_os = "linux")]
mod processes;
mod redelivery;
mod rehearsal;
mod setup;
mod table;
