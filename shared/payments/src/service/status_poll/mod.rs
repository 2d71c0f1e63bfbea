//! Polls the platform about payments that are open or need a recheck, and acts on the answers.
//!
//! A commit claims a poll before its request is sent. So only one of two parallel calls sends the request
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
