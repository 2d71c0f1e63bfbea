//! Tests the template as SAM processes it. The local AWS accepts much that AWS refuses, and ignores some properties.

mod parameters;
mod permissions;
pub mod processed;
mod routes;
mod schedules;
mod storage;
