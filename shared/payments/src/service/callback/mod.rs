//! Callbacks: verifies the signature and applies the report, or explains why the signature does not verify.

mod explain;
mod outcome;
mod verify;

pub use self::explain::{Explanation, explain};
pub use self::outcome::{Handled, Outcome};
pub use self::verify::{Refusal, Verified, verify};
