//! The real functions behind the real template, called from the outside; each test has a sandbox of its own. One
//! program, so that it is linked once and the sandboxes' waiting overlaps.
#![allow(clippy::indexing_slicing)]

mod alarms;
mod api;
mod callbacks;
mod canaries;
mod clarification;
mod consumer;
mod cost;
mod deployment;
mod environment;
mod gate_faults;
mod hand_off;
mod openapi;
mod outcomes;
mod permissions;
mod provoked;
mod reconcile;
mod refunds;
mod silence;
mod sweeper;
mod template;
mod walk;
