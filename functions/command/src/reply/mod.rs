//! Defines the reply to a command: its result, or why it was not done.

mod amounts;
mod callback;
mod event_types;
mod not_done;
mod republish;
mod resync;
mod review;

use payments::service::apply::Applied;
use payments::service::callback::{Explanation, Handled};
use payments::service::outbox::republish::{RepublishError, Republished};
use payments::service::review::ReviewError;
use payments::service::status_poll::{PollError, PollResult};
use serde::Serialize;

use self::callback::CallbackDone;
pub use self::not_done::{NotDone, Problem};
use self::republish::RepublishDone;
use self::resync::ResyncDone;
use self::review::ReviewDone;

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Done(Done),
    /// The command cannot be done. A repeat does not help.
    Refused(Problem),
    /// The command was not done, or only in part. The operator can repeat the command.
    Failed(Problem),
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Done {
    Callback(Box<CallbackDone>),
    Republish(RepublishDone),
    Resync(ResyncDone),
    Review(ReviewDone),
}

impl Reply {
    /// `why` explains why the verification of the callback fails.
    pub fn of_callback(handled: Handled, why: Option<Explanation>) -> Self {
        let done = CallbackDone::new(handled, why);
        done.map(|done| Done::Callback(Box::new(done))).into()
    }

    pub fn of_republish(republished: Result<Republished, RepublishError>) -> Self {
        let done = republished.map(|republished| Done::Republish(republished.into()));
        done.map_err(NotDone::from).into()
    }

    pub fn of_resync(polled: Result<PollResult, PollError>) -> Self {
        let done = polled.map(|polled| Done::Resync(polled.into()));
        done.map_err(NotDone::from).into()
    }

    pub fn of_release(released: &Result<Applied, ReviewError>) -> Self {
        let done = released.as_ref().map(ReviewDone::of_release);
        done.map(Done::Review).map_err(NotDone::from).into()
    }

    pub fn of_rejection(rejected: &Result<Applied, ReviewError>) -> Self {
        let done = rejected.as_ref().map(ReviewDone::of_rejection);
        done.map(Done::Review).map_err(NotDone::from).into()
    }

    /// Returns the outcome in one word, for the log.
    pub fn outcome(&self) -> &'static str {
        match self {
            Reply::Done(Done::Callback(done)) => done.outcome,
            Reply::Done(_) => "done",
            Reply::Refused(problem) | Reply::Failed(problem) => problem.reason,
        }
    }
}

impl From<Result<Done, NotDone>> for Reply {
    fn from(result: Result<Done, NotDone>) -> Self {
        match result {
            Ok(done) => Reply::Done(done),
            Err(NotDone::Refused(problem)) => Reply::Refused(problem),
            Err(NotDone::Failed(problem)) => Reply::Failed(problem),
        }
    }
}

impl From<NotDone> for Reply {
    fn from(not_done: NotDone) -> Self {
        Err(not_done).into()
    }
}
