//! Status polls: requests the status of payments that are open or need a recheck, and acts on the answer.
//!
//! A poll is claimed by a commit before its request is sent, so of two parallel calls only one sends it
//! (`shared/decisions/state/0009-polling-index.md`).

mod claim;
mod conclude;
mod due;
mod error;
mod now;
mod poller;
mod request;

pub use self::error::PollError;
pub use self::now::{Found, PollResult};
pub use self::poller::StatusPoller;
