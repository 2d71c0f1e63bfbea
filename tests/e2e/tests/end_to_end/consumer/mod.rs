//! Tests the sample consumer with its queue.

#[cfg(target_os = "linux")]
mod crash;
mod dead_letters;
#[cfg(target_os = "linux")]
mod processes;
mod redelivery;
mod setup;
mod table;
