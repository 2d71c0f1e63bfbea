//! Defines the events of a payment and the public view of a payment. An event is a CloudEvent 1.0 in JSON and contains
//! the public view.

mod envelope;
pub mod kind;
pub mod metrics;
pub mod view;

pub use self::envelope::{About, Event};
pub use self::kind::EventKind;
