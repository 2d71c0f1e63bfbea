//! Defines the events of a payment as CloudEvents 1.0 in JSON, and the public view of a payment. Each event contains
//! this view.

mod envelope;
pub mod kind;
pub mod metrics;
pub mod view;

pub use self::envelope::{About, Event};
pub use self::kind::EventKind;
