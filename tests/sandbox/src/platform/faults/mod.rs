//! Defines the switches. A switch simulates a fault of the platform, or a procedure that only some projects have. The
//! control API sets the switches for all new payments or for one payment.

mod answer;
mod board;
mod charge;
mod switches;

pub use answer::{Answer, NotFoundForm, RequestKind};
pub use board::FaultBoard;
pub use switches::{Faults, RedirectMethod};
