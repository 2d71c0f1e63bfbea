//! Defines the switches, which the control API sets for new payments or for one payment. A switch simulates a fault of
//! the platform, or a procedure that only some projects have.

mod answer;
mod board;
mod charge;
mod switches;

pub use answer::{Answer, NotFoundForm, RequestKind};
pub use board::FaultBoard;
pub use switches::{Faults, RedirectMethod};
