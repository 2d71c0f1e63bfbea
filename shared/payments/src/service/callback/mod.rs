//! Callbacks: verify the signature, apply the report, or explain why it does not verify.

mod altered;
mod explain;
mod outcome;
mod verify;

pub use self::explain::{Explanation, explain};
pub use self::outcome::{Handled, Outcome};
pub use self::verify::{Refusal, Verified, verify};
