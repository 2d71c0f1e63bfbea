//! Checks events against their schemas in `infra/events`, and HTTP answers against `infra/openapi.yaml`.
//!
//! The tests of several crates use this crate. The functions must not depend on this crate.

pub mod bundle;
mod events;
mod infra;
pub mod openapi;
mod validation;

pub use crate::events::{check, check_as_consumer, types};
pub use crate::infra::yaml;
