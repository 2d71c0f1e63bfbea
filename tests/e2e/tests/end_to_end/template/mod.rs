//! Tests the template after SAM has processed it. Tests in the local AWS are not enough, because the local AWS accepts
//! much that AWS refuses, and ignores some properties.

mod names;
mod parameters;
mod permissions;
pub mod processed;
mod releases;
mod routes;
mod schedules;
mod storage;
