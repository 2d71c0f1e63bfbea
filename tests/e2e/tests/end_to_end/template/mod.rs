//! Tests the template after SAM has processed it. The local AWS does not replace these tests, because it accepts much
//! that AWS refuses, and ignores some properties.

mod event_bus;
mod names;
mod parameters;
mod permissions;
pub mod processed;
mod releases;
mod routes;
mod schedules;
mod storage;
mod webhooks;
