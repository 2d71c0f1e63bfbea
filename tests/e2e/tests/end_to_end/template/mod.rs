//! Tests the template after SAM has processed it. Tests in the local AWS do not replace these tests: it accepts much
//! that AWS refuses, and ignores some properties.

mod names;
mod parameters;
mod permissions;
pub mod processed;
mod releases;
mod routes;
mod schedules;
mod storage;
