//! The events of a payment: CloudEvents 1.0 in JSON.

mod envelope;
pub mod kind;
pub mod metrics;
pub mod view;

pub use self::envelope::{About, Event};
pub use self::kind::EventKind;
