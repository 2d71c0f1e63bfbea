//! Defines why a command was not done.

use serde::Serialize;

#[derive(Debug)]
pub enum NotDone {
    /// A repeat does not help.
    Refused(Problem),
    /// A repeat can help.
    Failed(Problem),
}

#[derive(Debug, Serialize)]
pub struct Problem {
    /// A code for the reason, for programs.
    pub reason: &'static str,
    /// The reason in a sentence, for people.
    pub detail: String,
}

impl NotDone {
    pub fn refused(reason: &'static str, detail: impl ToString) -> Self {
        Self::Refused(Problem::new(reason, detail))
    }

    pub fn failed(reason: &'static str, detail: impl ToString) -> Self {
        Self::Failed(Problem::new(reason, detail))
    }
}

impl Problem {
    fn new(reason: &'static str, detail: impl ToString) -> Self {
        let detail = detail.to_string();
        Self { reason, detail }
    }
}
