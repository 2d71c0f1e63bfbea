//! Commands to the stack's own function, and what became of them.

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::account::Account;
use crate::invoke::invoke;
use crate::text::plain;

/// What the function answers.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(Value),
    Refused(Problem),
    Failed(Problem),
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// Gives a command and waits for its end; gives what was done.
pub async fn command(account: &Account, event: &Value) -> anyhow::Result<Value> {
    let answer = invoke(account, "command", event).await?;
    match serde_json::from_value(answer).context("the answer cannot be read")? {
        Answer::Done(done) => Ok(done),
        Answer::Refused(problem) => bail!("{}", plain(&problem.detail)),
        Answer::Failed(problem) => {
            bail!("failed, and may be repeated: {}", plain(&problem.detail))
        }
    }
}
