//! Defines the switches: faults of the platform, and procedures that only some projects have. `control` sets the
//! switches for all new payments or for one payment.

mod answer;
mod board;
mod charge;
mod switches;

pub use answer::{Answer, NotFoundForm, RequestKind};
pub use board::FaultBoard;
pub use switches::{Faults, RedirectMethod};
