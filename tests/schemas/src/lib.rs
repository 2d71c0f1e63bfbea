//! Checks events against their JSON Schemas in `infra/events`, as any consumer can, and HTTP answers against
//! `infra/openapi.yaml`.
//!
//! This code is a separate crate, because the tests of several crates share this code, and no function may depend on
//! it.

mod events;
mod infra;
pub mod openapi;
mod validation;

pub use crate::events::{check, types};
pub use crate::infra::yaml;
