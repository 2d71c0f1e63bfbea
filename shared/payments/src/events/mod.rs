//! Defines the events of a payment, and the public view of a payment that each event contains.

mod envelope;
pub mod kind;
pub mod metrics;
pub mod view;

pub use self::envelope::{About, Event};
pub use self::kind::EventKind;
