//! For tests: checks events against their JSON Schemas in `infra/events`, as any consumer can, and
//! answers against `infra/openapi.yaml`.
//!
//! This is a crate of its own because the tests of several crates share it, and no function may
//! depend on it.

mod events;
mod infra;
pub mod openapi;
mod validation;

pub use crate::events::{check, types};
pub use crate::infra::yaml;
