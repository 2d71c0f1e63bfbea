//! Defines the commands that concern one payment.

pub mod args;
pub mod callback;
mod quarantine;
pub mod republish;
pub mod resync;
pub mod review;
pub mod show;
