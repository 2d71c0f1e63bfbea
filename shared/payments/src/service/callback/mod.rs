//! Verifies and applies a callback, or explains why a callback does not verify.

mod explain;
mod outcome;
mod verify;

pub use self::explain::{Explanation, explain};
pub use self::outcome::{Handled, Outcome};
pub use self::verify::{Refusal, Verified, verify};
