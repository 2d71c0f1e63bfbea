//! Contains fakes of the ports: a store and queues in memory, a clock that tests move, a Gate with scripted
//! answers, and the platform records.

// Each test binary uses a part of this module.
#![allow(dead_code)]

pub mod behaviour;
pub mod clock;
pub mod daily_runs;
pub mod gate;
pub mod queue;
pub mod records;
pub mod store;
pub mod system;
pub mod work_queue;
